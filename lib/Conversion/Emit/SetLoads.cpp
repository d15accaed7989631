// Extremes and places of captured integers for the predicate algebra's answers.
#include "attn/Conversion/SetEmitter.h"

using namespace mlir;
using namespace attn;
using sets::Expr;
using sets::ExprKind;
using V = Value;
using Val = RegionEmitter::Val;

/// From a summary: one entry for a panel or a block, a loop over entries for anything else.
Val SetEmitter::extremeOfSummary(const Expr &x, const SummaryRef &s) {
  bool least = x.is(ExprKind::LoadMin);
  V ofPanels = least ? s.base : e.at(s.base, e.mul(s.panels, 8));
  V ofBlocks = e.at(e.at(s.base, e.mul(s.panels, 16)), least ? e.i64(0) : e.mul(s.blocks, 8));
  V ofGroups =
      s.groups ? e.at(e.at(s.base, e.mul(e.add(s.panels, s.blocks), 16)), least ? e.i64(0) : e.mul(s.groups, 8)) : V();
  bool whole = (span == kPanel || span == kBlock || (span == kGroup && s.groups)) && x.lo().is(ExprKind::Var) &&
               x.lo().varId() == kKeyLo && x.hi().is(ExprKind::Var) && x.hi().varId() == kKeyHi;
  Val lo = expr(x.lo());
  if (whole) {
    V base = span == kPanel ? ofPanels : span == kBlock ? ofBlocks : ofGroups;
    V entry = region.wide(quotient(lo, span == kPanel ? s.panelKeys : span == kBlock ? s.blockKeys : s.groupKeys));
    if (!lo.isVector())
      return region.make(e.loadI64(e.at(base, e.mul(entry, 8))), INT64_MIN, INT64_MAX);
    // Lanes are consecutive units: what is read past the end belongs to lanes that nobody asks about, and the slot
    // goes on there by a summary's other half.
    V from = vector::ExtractOp::create(e.b, e.loc, entry, ArrayRef<int64_t>{0});
    return region.make(e.load(e.vecOf(e.i64Type()), e.at(base, e.mul(from, 8))), INT64_MIN, INT64_MAX);
  }
  // Whole blocks inside, as a rule: entries of blocks are enough for a sound answer.
  V none = e.i64(least ? INT64_MAX : INT64_MIN);
  return ofRange(lo, expr(x.hi()), [&](V from, V to) {
    V first = e.divUnsigned(e.max(from, e.i64(0)), s.blockKeys);
    V last = e.min(e.divFloor(to, s.blockKeys), e.sub(s.blocks, e.i64(1)));
    return e.loop(first, e.add(last, 1), 1, none, [&](V block, ValueRange acc) {
      V v = e.loadI64(e.at(ofBlocks, e.mul(block, 8)));
      return SmallVector<V>{least ? e.min(acc[0], v) : e.max(acc[0], v)};
    })[0];
  });
}

/// What `scan` finds between two places, of which lanes may each have their own.
Val SetEmitter::ofRange(const Val &from, const Val &to, llvm::function_ref<V(V from, V to)> scan) {
  if (!from.isVector() && !to.isVector())
    return region.make(scan(region.wide(from), region.wide(to)), INT64_MIN, INT64_MAX);
  V los = region.asVector(region.wide(from)), his = region.asVector(region.wide(to));
  V r = e.splatInt(e.vecOf(e.i64Type()), 0);
  for (int64_t lane = 0; lane < e.lanes; ++lane)
    r = vector::InsertOp::create(e.b, e.loc,
                                 scan(vector::ExtractOp::create(e.b, e.loc, los, ArrayRef<int64_t>{lane}),
                                      vector::ExtractOp::create(e.b, e.loc, his, ArrayRef<int64_t>{lane})),
                                 r, ArrayRef<int64_t>{lane});
  return region.make(r, INT64_MIN, INT64_MAX);
}

/// The extreme of a tensor over lo..hi along one axis: the element at one end where they ascend, from the summary where
/// there is one, else element by element.
Val SetEmitter::extreme(const Expr &x) {
  bool least = x.is(ExprKind::LoadMin);
  std::vector<Expr> indices = x.indices();
  bool sorted = facts.sorted.count(x.table()) && x.axis() + 1 == indices.size();
  // The tokens of a few rows are looked at one by one: a summary of keys that is of the same tensor knows whole panels.
  bool ofRows = mentions(x.lo(), kRowLo) && mentions(x.hi(), kRowHi);
  for (const SummaryRef &s : summaries) {
    if (s.argument != x.table() || ofRows)
      continue;
    bool same = true;
    for (unsigned axis = 0; axis < indices.size(); ++axis) {
      unsigned dim = cast<AffineDimExpr>(s.map.getResult(axis)).getPosition();
      // A summary is of the keys' own positions: no use where a table maps them first.
      same &= axis == x.axis() ? dim == keyDim : indices[axis].is(ExprKind::Var) && indices[axis].varId() == dim;
    }
    if (same)
      return extremeOfSummary(x, s);
  }

  TensorRef &t = tensorOf(x.table());
  Val from = expr(x.lo()), to = expr(x.hi());
  V offset = e.i64(0);
  for (unsigned axis = 0; axis < indices.size(); ++axis)
    if (axis != x.axis())
      offset = e.add(offset, e.mul(scalar(indices[axis]), t.strides[axis]));
  auto scan = [&](V lo, V hi) {
    lo = e.max(lo, e.i64(0)), hi = e.min(hi, e.sub(t.extents[x.axis()], e.i64(1)));
    if (sorted)
      return e.choose(
          e.le(lo, hi), {e.i64Type()},
          [&] { return SmallVector<V>{elementAt(t, e.add(offset, e.mul(least ? lo : hi, t.strides[x.axis()])))}; },
          [&] { return SmallVector<V>{e.i64(least ? INT64_MAX : INT64_MIN)}; })[0];
    return e.loop(lo, e.add(hi, 1), 1, e.i64(least ? INT64_MAX : INT64_MIN), [&](V n, ValueRange acc) {
      V v = elementAt(t, e.add(offset, e.mul(n, t.strides[x.axis()])));
      return SmallVector<V>{least ? e.min(acc[0], v) : e.max(acc[0], v)};
    })[0];
  };
  return ofRange(from, to, scan);
}

/// The integer at an offset, counted in elements, as i64.
V SetEmitter::elementAt(TensorRef &t, V offset) {
  Type element = t.type.getElementType();
  return e.loadInteger(element, e.at(t.data, e.mul(offset, Emit::elementBytes(element))));
}

/// The first place along a sorted axis whose element is not below the sought value, by bisection. Bounds of intervals
/// are scalars; should lanes ask, each is searched for by itself.
Val SetEmitter::find(const Expr &x) {
  TensorRef &t = tensorOf(x.table());
  // Elements may be any i64: `element < value + 1` is asked as `element <= value`, which does not wrap.
  sets::LinearForm form = sets::linearForm(x.sought());
  bool orEqual = form.constant > 0;
  Val sought = expr(orEqual ? x.sought() - 1 : x.sought());
  SmallVector<std::pair<Val, V>> others; // index and stride
  for (auto [axis, index] : llvm::enumerate(x.indices()))
    if (axis != x.axis())
      others.push_back({expr(index), t.strides[axis]});
  bool lanes = sought.isVector() || llvm::any_of(others, [](auto &o) { return o.first.isVector(); });

  auto search = [&](int64_t lane) {
    auto of = [&](const Val &v) -> V {
      return v.isVector() ? (V)vector::ExtractOp::create(e.b, e.loc, region.wide(v), ArrayRef<int64_t>{lane})
                          : region.wide(v);
    };
    V offset = e.i64(0), value = of(sought);
    for (auto &[index, stride] : others)
      offset = e.add(offset, e.mul(of(index), stride));
    return e.whileLoop(
        {e.i64(0), t.extents[x.axis()]}, [&](ValueRange at) { return e.lt(at[0], at[1]); },
        [&](ValueRange at) {
          V middle = e.divUnsigned(e.add(at[0], at[1]), 2);
          V element = elementAt(t, e.add(offset, e.mul(middle, t.strides[x.axis()])));
          V below = orEqual ? e.le(element, value) : e.lt(element, value);
          return SmallVector<V>{e.select(below, e.add(middle, 1), at[0]), e.select(below, at[1], middle)};
        })[0];
  };
  if (!lanes)
    return region.make(search(0), 0, INT64_MAX);
  V places = e.splatInt(e.vecOf(e.i64Type()), 0);
  for (int64_t lane = 0; lane < e.lanes; ++lane)
    places = vector::InsertOp::create(e.b, e.loc, search(lane), places, ArrayRef<int64_t>{lane});
  return region.make(places, 0, INT64_MAX);
}
