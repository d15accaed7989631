#include "attn/Schedule/GpuTiles.h"

using namespace mlir;
using namespace attn;

Attribute GpuTiles::toAttr(Builder &b) const {
  return b.getDenseI64ArrayAttr(
      {rows, keys, dot, value, allValues, slices, planesQ, planesK, planesV, planesP, f16, whole, stages, accs, tf32});
}

GpuTiles GpuTiles::fromAttr(Attribute attr) {
  ArrayRef<int64_t> n = cast<DenseI64ArrayAttr>(attr).asArrayRef();
  GpuTiles t;
  t.rows = n[0], t.keys = n[1], t.dot = n[2], t.value = n[3], t.allValues = n[4], t.slices = n[5];
  t.planesQ = n[6], t.planesK = n[7], t.planesV = n[8], t.planesP = n[9], t.f16 = n[10], t.whole = n[11],
  t.stages = n[12], t.accs = n[13], t.tf32 = n[14];
  return t;
}

/// The 16-bit type that an operand is used in as it is; none: it is widened to f32.
static Type plainType(const AttendOp::Operand &x) {
  Type element = cast<RankedTensorType>(x.tensor.getType()).getElementType();
  bool plain = (!x.region || x.region->empty()) && (element.isBF16() || element.isF16());
  return plain ? element : Type();
}

/// Sums of values that the outputs need.
static int64_t valueSums(AttendOp op) {
  NormalizerOp normalizer = lookupNormalizer(op);
  bool needed = false;
  for (unsigned r = 0; r < op.getNumResults(); ++r) {
    auto source = findOutput(op, normalizer, op.outName(r));
    needed |= !source || source->needsValues;
  }
  if (!needed)
    return 0;
  auto pass = normalizer ? dyn_cast<PassOp>(normalizer.lastStep()) : PassOp();
  if (!pass)
    return 1;
  int64_t sums = 0;
  for (unsigned n = 0; n < pass.numSums(); ++n)
    sums += pass.kindOf(n) == SumKind::Value;
  return sums;
}

GpuTiles GpuTiles::choose(AttendOp op, int64_t sharedLimit, int64_t forcedRows, int64_t forcedKeys,
                          F32Products f32Products) {
  GpuTiles t;
  t.dot = op.dotExtent();
  t.allValues = op.vPart().extent;
  t.accs = valueSums(op);
  auto slice = [&](int64_t features) {
    t.value = std::min(t.allValues, features);
    t.slices = llvm::divideCeil(t.allValues, t.value);
  };
  slice(sliceFeatures);
  auto typeOf = [&](bool ofQueries) {
    Type type = plainType(ofQueries ? op.qPart(0) : op.kPart(0));
    for (unsigned n = 1; n < op.numParts(); ++n)
      if (plainType(ofQueries ? op.qPart(n) : op.kPart(n)) != type)
        type = Type();
    return type;
  };
  Type q = typeOf(true), k = typeOf(false), v = plainType(op.vPart());
  // One format for all products: f16 where nothing but f16 meets it.
  t.f16 = q && k && v && q.isF16() && k.isF16() && v.isF16();
  auto planes = [&](Type type) { return type && type.isF16() == t.f16 ? 1 : 3; };
  t.planesQ = planes(q), t.planesK = planes(k), t.planesV = planes(v);
  bool narrow = t.planesQ == 1 && t.planesK == 1 && t.planesV == 1;
  for (unsigned r = 0; r < op.getNumResults(); ++r)
    if (op.outName(r) == "o")
      narrow &= cast<RankedTensorType>(op.getResult(r).getType()).getElementType().getIntOrFloatBitWidth() == 16;
  t.planesP = narrow ? 1 : 3;
  t.whole = !op.dotRegion() || op.dotRegion()->empty();
  // Operands of one 16-bit type are no products of f32, and what goes element by element is none of tensor cores.
  t.tf32 = f32Products == F32Products::Tf32 && t.whole && std::max({t.planesQ, t.planesK, t.planesV}) > 1;
  if (t.tf32)
    t.planesQ = t.planesK = t.planesV = t.planesP = 1;
  // What is copied as it is needs no thread on its way.
  t.stages = !t.tf32 && t.planesK == 1 && t.planesV == 1 ? 2 : 1;
  t.rows = forcedRows > 0 ? llvm::alignTo(std::min<int64_t>(forcedRows, 128), 16) : 64;
  // More keys spill: three planes of weights, and three sums of each score, are held at once.
  int64_t keys = t.planesK > 1 || t.planesV > 1 ? 16 : t.value > 96 ? 32 : 64;
  t.keys = forcedKeys > 0 ? llvm::alignTo(std::min<int64_t>(forcedKeys, 64), 16) : keys;
  auto fits = [&] { return t.registers() <= mostRegisters; };
  while (!fits() && t.keys > 32 && forcedKeys <= 0)
    t.keys -= 16;
  for (int64_t features = sliceFeatures; !fits() && features > 16;)
    slice(features -= 16);
  if (t.slices > 1) // of one size
    t.value = pad(llvm::divideCeil(t.allValues, t.slices));
  while (!fits() && t.keys > 16)
    t.keys -= 16;
  while (t.sharedBytes() > sharedLimit && (t.keys > 16 || t.rows > 16)) {
    if (t.keys > 16 && (t.keys > 32 || t.rows <= 32))
      t.keys -= 16;
    else if (t.rows > 16)
      t.rows -= 16;
    else
      t.keys = 16;
  }
  return t;
}
