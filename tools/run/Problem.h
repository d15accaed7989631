// One problem: the extents of every dimension, and memory for every argument and result.
#ifndef ATTN_TOOLS_RUN_PROBLEM_H
#define ATTN_TOOLS_RUN_PROBLEM_H

#include "Program.h"

#include "attn-rt/attn_rt.h"
#include "attn/Analysis/ArgumentFacts.h"
#include "attn/Support/Buffer.h"

namespace attn::run {

struct Tensor {
  std::string name;
  Element element;
  bool isOutput = false, isGiven = false; // given: its values come from a file
  unsigned index = 0;                     // of the kernel's argument or result
  ArgumentFact fact;
  std::vector<int64_t> shape, strides; // strides count elements; empty until known
  Buffer data;

  int64_t elements() const;
  attn_tensor view() const;
};

struct Scalar {
  std::string name;
  bool isFloat = false;
  mlir::BlockArgument argument;
  attn_scalar value{};
};

struct Problem {
  std::vector<std::string> dimNames;
  std::vector<int64_t> extents; // by dimension
  unsigned numBatch = 0;
  std::vector<std::vector<int64_t>> stepExtents; // of a kernel of several steps, by step and its dimension
  std::vector<Tensor> tensors;                   // arguments, then results: the order of a call
  std::vector<Scalar> scalars;

  int64_t queries() const { return extents[numBatch]; }
  int64_t keys() const { return extents[numBatch + 1]; }
  int64_t batches() const; // product of the batch extents
  /// Batch indices of the n-th batch, the last dimension fastest.
  std::vector<int64_t> batchAt(int64_t n) const;
  int64_t rows() const { return batches() * queries(); }
  uint64_t bytes() const;

  Tensor *find(llvm::StringRef name);
  /// The tensor that `value`, an argument of the kernel, stands for; null for anything else.
  const Tensor *tensorOf(mlir::Value value) const;
  const Tensor &output(unsigned result) const;
  const attn_scalar *scalarOf(mlir::Value value) const;
  std::vector<attn_tensor> arguments() const; // inputs alone, for the interpreter
  std::vector<attn_tensor> callArguments() const;
  std::vector<attn_scalar> params() const;
};

/// Reads the files, finds the extents, fills what is not given, all checked. Results hold NaN (integers: -1) until a
/// kernel has written them.
llvm::Expected<Problem> makeProblem(Program &program, const Options &options);

/// The extents by dimension and the shape of every tensor without one. See Extents.cpp for the order of precedence.
llvm::Error solveExtents(Problem &problem, const Program &program, const Options &options);

/// Tokens before the grids: what the program or --param says, else the default; 0 for text that is no number, which
/// fillScalars refuses.
int64_t firstToken(const Program &program, const Options &options);

/// The value of a scalar: what --param says, or the default by what uses it; false where neither says one.
llvm::Expected<bool> fillScalar(Scalar &scalar, int64_t keys, AttendOp attend, const Options &options);

/// Values of the tensors and scalars that nothing says.
llvm::Error fillScalars(Problem &problem, const Program &program, const Options &options);
llvm::Error fillInputs(Problem &problem, const Program &program, const Options &options);
/// Rewrites q and k so that the scores are of the class asked for.
llvm::Error shapeLogits(Problem &problem, const Program &program, const Options &options);

} // namespace attn::run

#endif
