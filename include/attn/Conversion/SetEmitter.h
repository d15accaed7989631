// Emits the predicate algebra's symbolic answers: ranges of keys for a box of rows, status of a tile, the mask of a
// row.
#ifndef ATTN_CONVERSION_SETEMITTER_H
#define ATTN_CONVERSION_SETEMITTER_H

#include "attn/Analysis/SetPredicate.h"
#include "attn/Conversion/RegionEmitter.h"
#include "attn/Sets/Solve.h"

namespace attn {

/// Variables of a box's end points.
enum BoxVar : unsigned { kRowLo = 128, kRowHi, kKeyLo, kKeyHi };

/// A summary of a per-key tensor, see Layout: least and greatest element of the panels, then of the blocks.
struct SummaryRef {
  unsigned argument;
  mlir::AffineMap map;
  mlir::Value base, panels, blocks, groups; // how many there are; groups: null where it has none of them
  int64_t panelKeys, blockKeys, groupKeys;
};

class SetEmitter {
public:
  using V = mlir::Value;
  using Val = RegionEmitter::Val;

  /// `region` evaluates loads and opaque conditions; `tensorOf` finds a tensor argument by number; `facts` are what the
  /// call has checked.
  SetEmitter(Emit &e, RegionEmitter &region, llvm::function_ref<TensorRef &(unsigned)> tensorOf,
             llvm::ArrayRef<SummaryRef> summaries, llvm::ArrayRef<SetPredicate::Opaque> opaques, unsigned keyDim,
             const sets::Facts &facts)
      : e(e), region(region), tensorOf(tensorOf), summaries(summaries), opaques(opaques), keyDim(keyDim), facts(facts) {
  }

  /// What the keys kKeyLo..kKeyHi are: whole panels, whole blocks, or anything.
  enum Span { kAnything, kPanel, kBlock, kGroup } span = kAnything;
  /// Answers to questions about lists, bits and random blocks: an atom's id, what is asked.
  enum Question { kLanes, kMay, kMust };
  std::function<V(unsigned id, Question)> answer;
  /// Values known from outside a loop.
  std::shared_ptr<std::map<sets::Expr, Val>> hoisted;
  /// Evaluates here what of a predicate takes loads and none of `varying`, for emitters that share `hoisted`.
  void hoist(const sets::Pred &p, llvm::ArrayRef<unsigned> varying);

  void bind(unsigned var, Val v) { vars[var] = v; }
  void bindScalar(unsigned var, V v) { vars[var] = region.make(v, INT64_MIN, INT64_MAX); }

  Val expr(const sets::Expr &x);
  /// With a variable bound for this expression alone.
  Val exprWith(const sets::Expr &x, unsigned var, Val v);
  /// The logical key that masks and conditions are asked about, where it is not the position.
  std::optional<Val> logicalKey, logicalQuery;
  V scalar(const sets::Expr &x) { return region.wide(expr(x)); }
  /// i1, or a vector of i1 where a variable is bound to lanes. A condition that had to read outside a tensor is
  /// unknown: it counts as `unknownHolds`. So `false and unknown` is false whichever way, and a pair is at fault only
  /// if the two answers differ.
  V pred(const sets::Pred &p, bool unknownHolds = false);
  /// Whether any condition emitted so far can be unknown.
  bool hasUnknown() const { return !known.empty(); }

private:
  V lanesAgainstScalars(const sets::Expr &e, mlir::arith::CmpIPredicate cmp);
  V combineMasks(V a, V c, bool both);
  Val extreme(const sets::Expr &x);
  Val extremeOfSummary(const sets::Expr &x, const SummaryRef &s);
  Val ofRange(const Val &from, const Val &to, llvm::function_ref<V(V from, V to)> scan);
  Val quotient(const Val &a, int64_t divisor);
  void hoist(const sets::Expr &x, llvm::ArrayRef<unsigned> varying);
  Val find(const sets::Expr &x);
  V elementAt(TensorRef &t, V offset);
  V opaque(const sets::Pred &p, bool unknownHolds);

  Emit &e;
  RegionEmitter &region;
  llvm::function_ref<TensorRef &(unsigned)> tensorOf;
  llvm::ArrayRef<SummaryRef> summaries;
  llvm::ArrayRef<SetPredicate::Opaque> opaques;
  unsigned keyDim;
  const sets::Facts &facts;
  std::map<unsigned, Val> vars;
  std::map<unsigned, V> known; // by opaque id: false where its value is unknown
};

} // namespace attn

#endif
