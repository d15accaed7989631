// Loads of captured tensors in regions: indices inside their axes, one element or a vector of them.
#include "attn/Conversion/RegionEmitter.h"

using namespace mlir;
using namespace attn;
using V = Value;
using Val = RegionEmitter::Val;
using Int = RegionEmitter::Int;

bool RegionEmitter::isTied(const TensorRef &t, unsigned axis, const Val &index) {
  const AxisFact &fact = t.fact.axes[axis];
  return !fact.free && (fact.dim == (int64_t)index.plainDim || fact.also == (int64_t)index.plainDim);
}

/// Those tied to a dimension are inside by the call's checks (keys past the end are clamped), others are checked.
V RegionEmitter::axisIndex(TensorRef &t, unsigned axis, const Val &index) {
  V i = wide(index), extent = t.extents[axis];
  if (isTied(t, axis, index))
    return index.isVector() ? e.min(i, asVector(e.sub(extent, e.i64(1)))) : i;
  if (provesBounds && index.lo >= 0 && index.hi < t.type.getDimSize(axis)) // not where that is dynamic
    return i;
  V zero = e.i64(0), limit = extent;
  if (index.isVector())
    zero = asVector(zero), limit = asVector(extent);
  V ok = e.both(e.ge(i, zero), e.lt(i, limit));
  checks.push_back({ok, t.argument, axis, i});
  return e.select(ok, i, zero);
}

Val RegionEmitter::loaded(TensorRef &t, V v) {
  Type element = t.type.getElementType();
  if (isa<FloatType>(element) || element.isInteger(1))
    return Val{v, 0, 1};
  if (t.range)
    return make(v, t.range->first, t.range->second);
  unsigned width = element.getIntOrFloatBitWidth();
  Int hi = (Int(1) << (width - 1)) - 1;
  return make(v, -hi - 1, hi);
}

FailureOr<Val> RegionEmitter::loadAt(TensorRef &t, ArrayRef<Val> indices) {
  Type element = t.type.getElementType();
  int64_t size = Emit::elementBytes(element);
  SmallVector<V> safe;
  int lanesAxis = -1;
  bool contiguous = true;
  for (auto [axis, index] : llvm::enumerate(indices)) {
    if (index.isVector()) {
      contiguous &= isTied(t, axis, index) && lanesAxis < 0;
      lanesAxis = axis;
    }
    safe.push_back(axisIndex(t, axis, index));
  }
  V nonEmpty;
  for (auto [axis, fact] : llvm::enumerate(t.fact.axes))
    if (fact.free && !(provesBounds && t.type.getDimSize(axis) > 0)) {
      V some = e.lt(e.i64(0), t.extents[axis]);
      nonEmpty = nonEmpty ? e.both(nonEmpty, some) : some;
    }
  auto zeroOf = [&](Type type) -> V { return arith::ConstantOp::create(e.b, e.loc, e.b.getZeroAttr(type)); };
  auto guarded = [&](Type type, llvm::function_ref<V()> load) -> V {
    if (!nonEmpty)
      return load();
    return e.choose(
        nonEmpty, {type}, [&] { return SmallVector<V>{load()}; }, [&] { return SmallVector<V>{zeroOf(type)}; })[0];
  };
  Type result = isa<FloatType>(element) ? (Type)e.real : element;

  V v;
  if (lanesAxis < 0) {
    V offset = e.i64(0);
    for (auto [axis, i] : llvm::enumerate(safe))
      offset = e.add(offset, e.mul(i, t.strides[axis]));
    v = guarded(result, [&] { return e.loadElement(element, e.at(t.data, e.mul(offset, size))); });
  } else {
    // Scalar part of the offset, then the lanes'.
    V scalar = e.i64(0), lanesOffset;
    for (auto [axis, i] : llvm::enumerate(safe)) {
      if (!isa<VectorType>(i.getType())) {
        scalar = e.add(scalar, e.mul(i, t.strides[axis]));
        continue;
      }
      V term = e.mul(i, asVector(t.strides[axis]));
      lanesOffset = lanesOffset ? e.add(lanesOffset, term) : term;
    }
    Type lanesType = e.vecOf(result);
    auto gather = [&]() -> V {
      // Through memory, lane by lane: an address is formed for checked indices alone.
      V offsets = e.add(lanesOffset, asVector(scalar));
      e.store(offsets, gatherBuffer);
      V slot = e.at(gatherBuffer, e.lanes * 8);
      Type held = element.isInteger(1) ? e.b.getI8Type() : result;
      int64_t heldBytes = Emit::elementBytes(held);
      for (int64_t lane = 0; lane < e.lanes; ++lane) {
        V offset = e.loadI64(gatherBuffer, lane * 8);
        V x = e.loadElement(element, e.at(t.data, e.mul(offset, size)));
        if (element.isInteger(1))
          x = arith::ExtUIOp::create(e.b, e.loc, held, x);
        e.store(x, e.at(slot, lane * heldBytes));
      }
      V x = e.load(e.vecOf(held), slot);
      if (element.isInteger(1))
        x = e.cmp(arith::CmpIPredicate::ne, x, e.splatInt(e.vecOf(held), 0));
      return x;
    };
    if (contiguous) {
      V first = vector::ExtractOp::create(e.b, e.loc, wide(indices[lanesAxis]), ArrayRef<int64_t>{0});
      V unit = e.eq(t.strides[lanesAxis], e.i64(1));
      V inside = e.le(e.add(first, e.lanes), t.extents[lanesAxis]);
      v = e.choose(
          e.both(unit, inside), {lanesType},
          [&] { return SmallVector<V>{e.loadElements(element, e.at(t.data, e.mul(e.add(scalar, first), size)))}; },
          [&] { return SmallVector<V>{gather()}; })[0];
    } else {
      v = guarded(lanesType, gather);
    }
  }
  return loaded(t, v);
}
