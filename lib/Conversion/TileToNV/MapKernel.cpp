// Elementwise programs: a thread computes one element of the destination at a time, and reduces it alone, in ascending
// order.
#include "CtaEmitter.h"

using namespace mlir;
using namespace attn;
using V = Value;
using Val = RegionEmitter::Val;

namespace {

class MapKernel {
public:
  MapKernel(KernelEmitter &kernel, tile::MapOp map)
      : k(kernel), e(kernel.e), map(map), out(k.tensorOf(map.getDest())) {}
  LogicalResult run();

private:
  Type yielded() {
    Type type = map.getBody().front().getTerminator()->getOperand(0).getType();
    return isa<FloatType>(type) ? (Type)e.real : type;
  }
  V neutral();
  V widthOf(V value);
  Val indexOf(AffineExpr index);
  V reduce(unsigned n, V acc);
  V body(V acc);
  void store(V value);

  KernelEmitter &k;
  Emit &e;
  tile::MapOp map;
  TensorRef &out;
  SmallVector<Val> indices; // by dimension
  bool bad = false;
};

LogicalResult MapKernel::run() {
  V count = e.i64(1);
  for (V extent : out.extents)
    count = e.mul(count, extent);
  V first = e.mul(k.cta, kMapElements), last = e.min(e.add(first, kMapElements), count);
  e.loop(e.add(first, k.thread), last, kMapThreads, [&](V item) {
    indices.assign(k.extents.size(), Val());
    V rest = item;
    for (int64_t axis = out.type.getRank() - 1; axis >= 0; --axis) {
      unsigned d = cast<AffineDimExpr>(map.getOutMap().getResult(axis)).getPosition();
      V i = rest;
      if (axis) {
        V outer = arith::DivUIOp::create(e.b, e.loc, rest, out.extents[axis]);
        i = e.sub(rest, e.mul(outer, out.extents[axis]));
        rest = outer;
      }
      indices[d] = k.makeRegion().indexScalar(i, d);
    }
    store(reduce(0, map.getReduced().empty() ? V() : neutral()));
  });
  return failure(bad);
}

V MapKernel::neutral() {
  Type type = yielded();
  if (map.getReduction() != "max")
    return arith::ConstantOp::create(e.b, e.loc, e.b.getZeroAttr(type));
  if (auto real = dyn_cast<FloatType>(type))
    return e.scalar(-std::numeric_limits<double>::infinity());
  return arith::ConstantOp::create(e.b, e.loc,
                                   e.b.getIntegerAttr(type, APInt::getSignedMinValue(type.getIntOrFloatBitWidth())));
}

/// Integers are carried in 32 or 64 bits; the text's own width here.
V MapKernel::widthOf(V value) {
  auto type = dyn_cast<IntegerType>(yielded());
  unsigned from = value.getType().getIntOrFloatBitWidth();
  if (!type || from == type.getWidth())
    return value;
  return from < type.getWidth() ? (V)arith::ExtSIOp::create(e.b, e.loc, type, value)
                                : (V)arith::TruncIOp::create(e.b, e.loc, type, value);
}

Val MapKernel::indexOf(AffineExpr index) {
  RegionEmitter region = k.makeRegion();
  if (auto constant = dyn_cast<AffineConstantExpr>(index))
    return region.constantInt(constant.getValue());
  if (auto dim = dyn_cast<AffineDimExpr>(index))
    return indices[dim.getPosition()];
  auto binary = cast<AffineBinaryOpExpr>(index);
  int64_t divisor = cast<AffineConstantExpr>(binary.getRHS()).getValue();
  const Val &of = indices[cast<AffineDimExpr>(binary.getLHS()).getPosition()];
  return region.make(e.divUnsigned(region.wide(of), divisor), 0, INT32_MAX);
}

/// The loops over the reduced dimensions from number `n` on.
V MapKernel::reduce(unsigned n, V acc) {
  if (n == map.getReduced().size())
    return body(acc);
  unsigned d = map.getReduced()[n];
  return e.loop(e.i64(0), k.extents[d], 1, {acc}, [&](V iv, ValueRange carried) {
    indices[d] = k.makeRegion().indexScalar(iv, d);
    return SmallVector<V>{reduce(n + 1, carried[0])};
  })[0];
}

V MapKernel::body(V acc) {
  RegionEmitter r = k.makeRegion();
  Block &block = map.getBody().front();
  unsigned inputs = map.getInputs().size();
  for (unsigned n = 0; n < inputs; ++n) {
    SmallVector<Val> at;
    for (AffineExpr index : cast<AffineMapAttr>(map.getInMaps()[n]).getValue().getResults())
      at.push_back(indexOf(index));
    // The call has checked that the indices lie inside.
    RegionEmitter loads = k.makeRegion();
    auto x = loads.loadAt(k.tensorOf(map.getInputs()[n]), at);
    bad |= failed(x);
    r.bind(block.getArgument(n), succeeded(x) ? *x : Val{e.scalar(0)});
  }
  for (unsigned d = 0; d < indices.size(); ++d)
    r.bind(block.getArgument(inputs + d), indices[d]);
  for (auto extent : block.getOps<ExtentOp>()) {
    unsigned d = cast<BlockArgument>(extent.getIndex()).getArgNumber() - inputs;
    if (extent.getType().isIndex()) {
      r.bind(extent, r.make(k.extents[d], 0, INT32_MAX));
      continue;
    }
    V n = arith::SIToFPOp::create(e.b, e.loc, extent.getType(), k.extents[d]); // rounded as the text says
    if (extent.getType().isF32() && e.real.isF64())
      n = arith::ExtFOp::create(e.b, e.loc, e.real, n);
    else if (extent.getType() != e.real)
      n = arith::TruncFOp::create(e.b, e.loc, e.real, n);
    r.bind(extent, r.real(n));
  }
  // A sum of products rounds once a term.
  bool isFloat = isa<FloatType>(yielded());
  V result = block.getTerminator()->getOperand(0);
  auto product = result.getDefiningOp<arith::MulFOp>();
  bool fuses = product && isFloat && acc && map.getReduction() == "sum";
  SmallVector<V> parts; // the element, or its two factors
  for (V part : fuses ? ValueRange(product->getOperands()) : ValueRange(result)) {
    auto x = r.emit(part);
    if (failed(x)) {
      bad = true;
      return neutral();
    }
    parts.push_back(x->v);
  }
  V ok = r.checks.empty() ? V() : k.report(r.checks, e.i1(true));
  V value = fuses ? V() : widthOf(parts[0]);
  if (map.getReduced().empty())
    return ok ? e.select(ok, value, arith::ConstantOp::create(e.b, e.loc, e.b.getZeroAttr(yielded()))) : value;
  V next;
  if (fuses)
    next = e.fma(parts[0], parts[1], acc);
  else if (map.getReduction() == "sum")
    next = isFloat ? e.fadd(acc, value) : e.add(acc, value);
  else
    next = isFloat ? (V)arith::MaximumFOp::create(e.b, e.loc, acc, value) : e.max(acc, value);
  return ok ? e.select(ok, next, acc) : next;
}

void MapKernel::store(V value) {
  Type type = out.type.getElementType();
  V offset = e.i64(0);
  RegionEmitter region = k.makeRegion();
  for (auto [axis, expr] : llvm::enumerate(map.getOutMap().getResults())) {
    const Val &i = indices[cast<AffineDimExpr>(expr).getPosition()];
    offset = e.add(offset, e.mul(region.wide(i), out.strides[axis]));
  }
  V to = e.at(out.data, e.mul(offset, Emit::elementBytes(type)));
  if (type.isInteger(1))
    return e.store(arith::ExtUIOp::create(e.b, e.loc, e.b.getI8Type(), value), to);
  if (!isa<FloatType>(type))
    return e.store(value, to);
  if (e.real.isF32() && type.isF64())
    return e.store(arith::ExtFOp::create(e.b, e.loc, type, value), to);
  e.storeElement(value, type, to);
}

} // namespace

LogicalResult attn::emitMapKernel(KernelEmitter &kernel, tile::MapOp map) { return MapKernel(kernel, map).run(); }
