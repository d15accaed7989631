// attn.random and attn.member inside regions, for a row and a vector of keys.
#include "attn/Conversion/RegionEmitter.h"
#include "attn/Dialect/Attn/Attn.h"

using namespace mlir;
using namespace attn;
using V = Value;
using Val = RegionEmitter::Val;

/// Philox4x32-10 (Salmon et al. 2011): ten rounds of
///   c = (hi(M1 c2) ^ c1 ^ k0, lo(M1 c2), hi(M0 c0) ^ c3 ^ k1, lo(M0 c0)), keys bumped by Weyl constants in between
/// on 32-bit words; words that no lane changes stay scalars.
Val RegionEmitter::random(V seed, ArrayRef<Val> indices) {
  OpBuilder &b = e.b;
  Type i32 = b.getI32Type();
  auto constant = [&](Type t, int64_t v) -> V {
    if (auto vector = dyn_cast<VectorType>(t))
      return e.splatInt(vector, v);
    return arith::ConstantOp::create(b, e.loc, b.getIntegerAttr(t, v));
  };
  auto low = [&](V x) -> V {
    Type to = isa<VectorType>(x.getType()) ? (Type)e.vecOf(i32) : i32;
    return arith::TruncIOp::create(b, e.loc, to, x);
  };
  auto mix = [&](V x, V y) -> V {
    if (isa<VectorType>(x.getType()) || isa<VectorType>(y.getType()))
      x = asVector(x), y = asVector(y);
    return arith::XOrIOp::create(b, e.loc, x, y);
  };
  auto product = [&](V x, uint32_t factor) -> std::pair<V, V> { // high, low
    Type wide = isa<VectorType>(x.getType()) ? (Type)e.vecOf(e.i64Type()) : e.i64Type();
    V p = e.mul((V)arith::ExtUIOp::create(b, e.loc, wide, x), constant(wide, factor));
    return {low(arith::ShRUIOp::create(b, e.loc, p, constant(wide, 32))), low(p)};
  };
  V zero = constant(i32, 0);
  V c[4] = {zero, zero, zero, zero};
  for (auto [n, index] : llvm::enumerate(llvm::reverse(indices)))
    c[n] = low(wide(index));
  V k0 = low(seed), k1 = low(arith::ShRUIOp::create(b, e.loc, seed, e.i64(32)));
  for (unsigned round = 0; round < 10; ++round) {
    auto [hi0, lo0] = product(c[0], 0xD2511F53u);
    auto [hi1, lo1] = product(c[2], 0xCD9E8D57u);
    V next[4] = {mix(mix(hi1, c[1]), k0), lo1, mix(mix(hi0, c[3]), k1), lo0};
    std::copy(next, next + 4, c);
    k0 = e.add(k0, constant(i32, (int32_t)0x9E3779B9u));
    k1 = e.add(k1, constant(i32, (int32_t)0xBB67AE85u));
  }
  // 24 bits are exact in every accumulation type.
  Type words = c[0].getType();
  V top = arith::ShRUIOp::create(b, e.loc, c[0], constant(words, 8));
  bool lanes = isa<VectorType>(words);
  V u = arith::SIToFPOp::create(b, e.loc, lanes ? (Type)e.vec : (Type)e.real, top);
  return Val{e.fmul(u, lanes ? e.splat(0x1p-24) : e.scalar(0x1p-24))};
}

FailureOr<Val> RegionEmitter::member(Operation *op) {
  auto member = cast<MemberOp>(op);
  TensorRef &list = tensors.find(member.getList())->second;
  unsigned last = list.type.getRank() - 1;
  Type element = list.type.getElementType();
  auto operand = [&](V v) { return emit(v); };
  auto value = operand(member.getValue());
  if (failed(value))
    return failure();
  V offset = e.i64(0), from = e.i64(0), to = list.extents[last];
  // One list a row: what decides where it lies may not depend on the lane.
  auto scalarOf = [&](V v) -> FailureOr<Val> {
    auto r = operand(v);
    if (succeeded(r) && r->isVector())
      return op->emitError("[unsupported_member] the list depends on the key; index it by batch and query indices"),
             failure();
    return r;
  };
  auto check = [&](V ok, unsigned axis, V index) { checks.push_back({ok, list.argument, axis, index}); };
  for (auto [axis, v] : llvm::enumerate(member.getIndices())) {
    auto r = scalarOf(v);
    if (failed(r))
      return failure();
    V index = wide(*r), ok = e.both(e.ge(index, e.i64(0)), e.lt(index, list.extents[axis]));
    const AxisFact &fact = list.fact.axes[axis];
    if (fact.free || (fact.dim != (int64_t)r->plainDim && fact.also != (int64_t)r->plainDim)) {
      check(ok, axis, index);
      to = e.select(ok, to, e.i64(0));
    }
    offset = e.add(offset, e.mul(e.select(ok, index, e.i64(0)), list.strides[axis]));
  }
  if (member.getFrom()) {
    auto lo = scalarOf(member.getFrom()), hi = scalarOf(member.getTo());
    if (failed(lo) || failed(hi))
      return failure();
    for (const Val *end : {&*lo, &*hi}) {
      V x = wide(*end);
      check(e.both(e.ge(x, e.i64(0)), e.le(x, list.extents[last])), last, x);
    }
    from = e.min(e.max(wide(*lo), e.i64(0)), to);
    to = e.min(wide(*hi), to);
  }
  V sought = wide(*value);
  bool lanes = value->isVector();
  V none = lanes ? e.splatInt(e.vecOf(e.b.getI1Type()), 0) : e.i1(false);
  V found = e.loop(from, to, 1, none, [&](V n, ValueRange acc) {
    V at = e.add(offset, e.mul(n, list.strides[last]));
    V v = e.load(element, e.at(list.data, e.mul(at, Emit::elementBytes(element))));
    if (!element.isInteger(64))
      v = arith::ExtSIOp::create(e.b, e.loc, e.i64Type(), v);
    return SmallVector<V>{e.either(acc[0], e.eq(sought, lanes ? e.broadcast(v) : v))};
  })[0];
  return Val{found, 0, 1};
}
