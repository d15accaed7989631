// Emits the predicate algebra's symbolic answers: ranges of keys for a box of rows, status of a tile, the mask of a
// row.
#ifndef ATTN_LIB_CONVERSION_TILETOVECTOR_SETEMITTER_H
#define ATTN_LIB_CONVERSION_TILETOVECTOR_SETEMITTER_H

#include "RegionEmitter.h"
#include "attn/Analysis/SetPredicate.h"
#include "attn/Sets/Solve.h"

namespace attn {

/// Variables of a box's end points.
enum BoxVar : unsigned { kRowLo = 128, kRowHi, kKeyLo, kKeyHi };

/// A summary of a per-key tensor: (min, max) pairs of i64, one a panel.
struct SummaryRef {
  unsigned argument;
  mlir::AffineMap map;
  mlir::Value base;
  int64_t width;
};

class SetEmitter {
public:
  using V = mlir::Value;
  using Val = RegionEmitter::Val;

  /// `region` evaluates loads and opaque conditions; `tensorOf` finds a tensor argument by number.
  SetEmitter(Emit &e, RegionEmitter &region, llvm::function_ref<TensorRef &(unsigned)> tensorOf,
             llvm::ArrayRef<SummaryRef> summaries, llvm::ArrayRef<SetPredicate::Opaque> opaques, unsigned keyDim)
      : e(e), region(region), tensorOf(tensorOf), summaries(summaries), opaques(opaques), keyDim(keyDim) {}

  void bind(unsigned var, Val v) { vars[var] = v; }
  void bindScalar(unsigned var, V v) { vars[var] = region.make(v, INT64_MIN, INT64_MAX); }

  Val expr(const sets::Expr &x);
  V scalar(const sets::Expr &x) { return region.wide(expr(x)); }
  /// i1, or a vector of i1 where a variable is bound to lanes. A condition that had to read outside a tensor is
  /// unknown: it counts as `unknownHolds`. So `false and unknown` is false whichever way, and a pair is at fault only
  /// if the two answers differ.
  V pred(const sets::Pred &p, bool unknownHolds = false);
  /// Whether any condition emitted so far can be unknown.
  bool hasUnknown() const { return !known.empty(); }

private:
  V combineMasks(V a, V c, bool both);
  Val extreme(const sets::Expr &x);
  Val find(const sets::Expr &x);
  V elementAt(TensorRef &t, V offset);
  V opaque(const sets::Pred &p, bool unknownHolds);

  Emit &e;
  RegionEmitter &region;
  llvm::function_ref<TensorRef &(unsigned)> tensorOf;
  llvm::ArrayRef<SummaryRef> summaries;
  llvm::ArrayRef<SetPredicate::Opaque> opaques;
  unsigned keyDim;
  std::map<unsigned, Val> vars;
  std::map<unsigned, V> known; // by opaque id: false where its value is unknown
};

} // namespace attn

#endif
