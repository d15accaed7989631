//===- Visibility.h - Which pairs are in the set --------------------------===//
//
// The visible keys of one row as sorted ranges, from the set region as written: no lowering and none of the compiler's
// set algebra takes part, so that what this says can judge what the kernel reports.
//
// Named sets are ranges by their definitions (a row of a window costs the same at any length). A `where` region is
// first bounded by the sets around it - every operator maps a pair (surely in, possibly in) of range lists - and the
// interpreter then decides only the keys that are possibly but not surely in.
//
// Lists leave out what names no key: that pairs are reported for it is the interpreter's to say.
//
//===----------------------------------------------------------------------===//
#ifndef ATTN_TOOLS_RUN_VISIBILITY_H
#define ATTN_TOOLS_RUN_VISIBILITY_H

#include "Problem.h"
#include "Ranges.h"

#include "attn/Interpreter/Interpreter.h"

namespace attn::run {

Ranges unite(const Ranges &a, const Ranges &b);
Ranges intersect(const Ranges &a, const Ranges &b);
Ranges complement(const Ranges &a, int64_t extent);
int64_t countOf(const Ranges &a);

class Visibility {
public:
  Visibility(const Program &program, const Problem &problem, interpreter::Interpreter &interpreter)
      : attend(program.attend), problem(problem), interpreter(interpreter) {}

  Ranges row(const std::vector<int64_t> &batch, int64_t i);
  /// Whether the set can differ along batch dimension d.
  bool dependsOn(unsigned d);

private:
  struct Bounds {
    Ranges sure, maybe; // sure is a part of maybe
  };
  Bounds evaluate(mlir::Value set);
  Bounds exactly(Ranges r) const { return {r, r}; }
  Bounds unknown() const { return {{}, clip(0, problem.keys())}; } // the interpreter decides
  Ranges clip(int64_t lo, int64_t hi) const;                       // hi excluded
  /// The keys for which `test` holds, one after another.
  Ranges filter(llvm::function_ref<bool(int64_t j)> test) const;
  /// i + s of an aligned set.
  int64_t aligned(Alignment alignment, mlir::Value ql, mlir::Value kl) const;
  Ranges window(Alignment alignment, mlir::Value left, mlir::Value right, mlir::Value ql, mlir::Value kl, bool causal);
  const Ranges &keysOfSegment(mlir::Operation *op, const Tensor *k, int64_t id);
  Ranges masked(SetMaskOp op);
  int64_t lengthAt(mlir::Value tensor) const; // of the current first batch index
  bool isKnown(mlir::Value scalar) const;     // none is known too
  int64_t number(mlir::Value scalar) const;
  /// A length that is a scalar or given for each batch element; none if only the interpreter knows it.
  std::optional<int64_t> count(mlir::Value length) const;
  /// The id of a token of the current batch element.
  int64_t segmentAt(const Tensor *t, int64_t token) const;
  /// Where the row of the current indices begins; an axis that the key indexes is left out.
  int64_t rowOffset(const Tensor *t, mlir::AffineMap map) const;
  // TokenSets.cpp
  Bounds evaluateNamed(mlir::Operation *op);
  Ranges dilated(SetDilatedOp op) const;
  Ranges sharedPrefix(SetSharedPrefixOp op);
  // ListSets.cpp
  std::optional<Bounds> evaluateList(mlir::Operation *op);
  /// The elements [from, to) of a row.
  std::vector<int64_t> elements(const Tensor *t, int64_t offset, int64_t from, int64_t to) const;
  /// Keys in blocks of `block` that `ids` name; an id that names none is left out.
  Ranges blocksOf(std::vector<int64_t> ids, int64_t block) const;
  Ranges csr(SetCsrOp op) const;
  Ranges bits(SetBitsOp op) const;
  Ranges randomBlocks(SetRandomBlocksOp op) const;
  // GridSets.cpp
  std::optional<Bounds> evaluateGrid(mlir::Operation *op);

  AttendOp attend;
  const Problem &problem;
  interpreter::Interpreter &interpreter;
  std::vector<int64_t> batch;
  int64_t query = 0;
  using OpAndOffset = std::pair<mlir::Operation *, int64_t>;
  /// By op and row of its key tensor: the keys of every id.
  std::map<OpAndOffset, std::map<int64_t, Ranges>> segmentIndex;
  /// By mask op and offset of the row, for masks that no query indexes.
  std::map<OpAndOffset, Ranges> maskRows;
};

struct PairCount {
  double visible = 0; // exact: an integer below 2^53
  bool exact = true;  // otherwise from `rows` evenly spread rows
  int64_t rows = 0, of = 0;
};

/// All visible pairs of the problem. Batch indices that the set does not depend on are counted once and multiplied.
/// Stops looking at rows after `seconds` and extrapolates.
PairCount countPairs(Visibility &visibility, const Problem &problem, double seconds);

} // namespace attn::run

#endif
