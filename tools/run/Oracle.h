// --check and --expect: comparing results with the interpreter, and with files.
#ifndef ATTN_TOOLS_RUN_ORACLE_H
#define ATTN_TOOLS_RUN_ORACLE_H

#include "Problem.h"

#include "attn/Interpreter/Interpreter.h"
#include "attn/Support/ErrorRule.h"
#include "attn/Support/Npy.h"

namespace attn::run {

/// What the interpreter does for a visible pair, in multiplications: products, values, and ops of their regions.
double workOf(AttendOp attend);

/// The outcome for one result of the kernel.
struct Comparison {
  std::string name;
  ErrorReport report;
  std::string worst;    // "o[0, 3, 17, 5] is 0.25, expected 0.5"; empty if there is nothing to compare
  double tolerance = 0; // of --expect
};

struct CheckResult {
  std::vector<Comparison> outputs;
  int64_t rows = 0, of = 0;
  int64_t batches = 0, ofBatches = 0; // whose outputs over keys were compared; 0 of 0 where there is no such output
  bool badIndex = false;              // the interpreter met an index out of bounds too
  bool ok() const;
};

inline interpreter::Products productsOf(const Options &options) {
  return options.f32Products == "tf32" ? interpreter::Products::Tf32 : interpreter::Products::F32;
}

llvm::Expected<std::unique_ptr<interpreter::Interpreter>>
makeInterpreter(const Program &program, const Problem &problem, const Options &options = {});

/// Compares all rows, or as many as about three seconds of the interpreter's work allow: then the first and the last of
/// the first and the last batch, and others drawn by the seed, evenly over the rows. Outputs over keys (columns) take
/// all rows of a batch element: as many elements as that allows, at least one.
CheckResult checkResults(const Program &program, const Problem &problem, interpreter::Interpreter &interpreter,
                         uint64_t seed);

/// The files of --expect, of the right shapes: read before any work, so that a wrong one costs nothing.
llvm::Expected<std::vector<NpyArray>> readExpected(Problem &problem, const Options &options);
std::vector<Comparison> compareExpected(Problem &problem, const Options &options, llvm::ArrayRef<NpyArray> files);

} // namespace attn::run

#endif
