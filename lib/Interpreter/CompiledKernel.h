// A kernel bound to its tensors as programs: what the evaluators of all precisions run.
#ifndef ATTN_LIB_INTERPRETER_COMPILEDKERNEL_H
#define ATTN_LIB_INTERPRETER_COMPILEDKERNEL_H

#include "Bind.h"
#include "Program.h"
#include "attn/Interpreter/Interpreter.h"

namespace attn::interpreter {

/// A parameter of the normalizer: one value a row.
struct CompiledParameter {
  double constant = 0; // rounded to the accumulation type; a scalar of the call is one too
  std::optional<Operand> tensor;
};

struct CompiledSum {
  SumKind kind;
  unsigned weight; // which result of phi
  int64_t ofClass; // -1: all keys
};

/// A pass, a root or a selection. Every program takes the arguments of its region, then the normalizer's parameters,
/// then the statistics of the steps before.
struct CompiledStep {
  enum Kind { Pass, Root, Select };
  Kind kind = Pass;
  bool hasReference = false;
  Program phi;                              // (s), (s, r), or of a root (s, x)
  std::optional<Program> gauge, seed, stat; // of a pass
  Program to;                               // of a root: target, lo, hi
  llvm::SmallVector<CompiledSum> sums;
  unsigned numStats = 0, statsBefore = 0;
  std::optional<unsigned> lseSum; // the sum of which the seed's number counts in an lse
};

struct CompiledNormalizer {
  std::vector<CompiledParameter> parameters;
  std::vector<CompiledStep> steps;
  Program finish; // (reference if there is one, sums of the last pass), or (score, value) behind a selection
  unsigned finishArgs = 0;
  llvm::SmallVector<double> empty;    // by result of the finish
  llvm::SmallVector<bool> perFeature; // the same
  std::optional<unsigned> o;          // the result from which weights of pairs come
  bool selects() const { return steps.back().kind == CompiledStep::Select; }
  bool usesClasses() const;
};

/// Dropout: a pair is kept where random(seed; batch indices, i, j) >= probability.
struct CompiledDropout {
  int64_t seed = 0;
  float probability = 0;
};

struct CompiledReduction {
  ReduceKind kind;
  bool needed = false;      // for an output; what nobody asks for is not evaluated, and reads nothing
  std::optional<Program> f; // (s, batch indices, i, j); none: the score
  int64_t count = 0;        // of a topk
};

struct CompiledColumn {
  std::string name;
  Program f; // (w, s, batch indices, i, j)
};

struct CompiledAggregate {
  std::string name;
  Operand u;
  unsigned feature = 0; // the dimension of it that the output keeps
};

/// What an epilogue takes.
struct CompiledEpilogueArgument {
  enum Kind { Finish, Reduction, LogSumExp } kind;
  unsigned index;
};

struct CompiledOutput {
  std::string name;
  OutputSource source;
  std::optional<Program> epilogue; // (named numbers, batch indices, i, e)
};

struct CompiledKernel {
  Problem problem;
  Program set, score;
  std::vector<std::optional<Program>> q, k; // by part; none: elements are what the tensor holds
  std::optional<Program> v;                 // (element, batch indices, token, feature)
  std::optional<Program> dot;               // (x, y, batch indices, feature); none: the product
  std::optional<Program> scale;             // none: the constant below, or the default where there is none
  std::optional<double> scaleValue;
  std::optional<CompiledDropout> dropout;
  CompiledNormalizer normalizer;
  std::optional<Program> classes; // (batch indices, i, j); only where a sum is over a class
  std::vector<CompiledReduction> reductions;
  std::vector<CompiledEpilogueArgument> epilogueArgs;
  std::vector<CompiledColumn> columns; // those that are outputs
  std::vector<CompiledAggregate> aggregates;
  std::vector<CompiledOutput> outputs; // of rows
  bool needsValues = false;
  Products products = Products::F32;

  /// Whether queries and keys that meet in a product are rounded to tf32; and whether values are and the weights that
  /// meet them: not where all are used in one 16-bit type.
  bool roundsOperands() const { return products == Products::Tf32 && !dot && problem.accumulation == Format::F32; }
  bool roundsWeights(const Operand &values, bool hasRegion) const;
};

llvm::Expected<std::unique_ptr<CompiledKernel>> compile(Problem problem);

// The parts of it.
llvm::Error compileNormalizer(CompiledKernel &kernel);
llvm::Error compileOutputs(CompiledKernel &kernel);

/// A region of the attend or of the normalizer: its arguments, then `more`; all that it yields, or result `only`.
llvm::Expected<Program> buildRegion(const Problem &problem, mlir::Region &region, bool normalizer = false,
                                    llvm::ArrayRef<mlir::Value> more = {}, std::optional<unsigned> only = std::nullopt);
/// A scalar of the attend, which only the kernel's scalars decide; narrowed to its type.
llvm::Expected<double> readReal(const Problem &problem, mlir::Value scalar);

} // namespace attn::interpreter

#endif
