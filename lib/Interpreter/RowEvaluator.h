// One row in one precision: scores of the visible keys, then the normalizer's passes and finish, as written.
#ifndef ATTN_LIB_INTERPRETER_ROWEVALUATOR_H
#define ATTN_LIB_INTERPRETER_ROWEVALUATOR_H

#include "Bind.h"
#include "Program.h"
#include "attn/Interpreter/Interpreter.h"

namespace attn::interpreter {

struct CompiledPass {
  bool hasReference;
  Program phi; // (s) or (s, r)
  llvm::SmallVector<SumKind> sums;
};

/// Dropout: a pair is kept where random(seed; batch indices, i, j) >= probability.
struct CompiledDropout {
  int64_t seed = 0;
  float probability = 0;
};

struct CompiledOutput {
  std::string name;
  unsigned result; // of the finish program
  bool perFeature; // one value for each value feature
  double empty;
};

struct CompiledKernel {
  Problem problem;
  Program set, score;
  std::optional<Program> scale; // none: the constant below, or the default where there is none
  std::optional<double> scaleValue;
  std::optional<CompiledDropout> dropout;
  std::vector<CompiledPass> passes;
  Program finish; // (reference if there is one, sums of the last pass)
  std::vector<CompiledOutput> outputs;
};

llvm::Expected<std::unique_ptr<CompiledKernel>> compile(Problem problem);

class RowEvaluator {
public:
  virtual ~RowEvaluator() = default;
  /// `keys` are the members of the row's set, ascending; fills outputs, and takes back the keys whose score loads at a
  /// bad index.
  virtual void row(llvm::ArrayRef<int64_t> batch, int64_t i, llvm::ArrayRef<int64_t> keys, RowResult &result) = 0;
};

/// For the kernel's accumulation type and the precision.
std::unique_ptr<RowEvaluator> makeRowEvaluator(const CompiledKernel &kernel, Precision precision);

} // namespace attn::interpreter

#endif
