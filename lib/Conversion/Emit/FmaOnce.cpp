#include "attn/Conversion/FmaOnce.h"

using namespace mlir;
using namespace attn;
using V = Value;

// x = high + low, each of half the bits, so that products of such halves are exact. Beyond 2^114 (2^996 in f64) the
// halves overflow and the error is no number; it is left out then, for nothing is subtracted from so much that it would
// be seen. FTZ may lose the error of a product below 2^-100.
V attn::fmaOnce(Emit &e, V a, V b, V c) {
  if (e.lanes * e.bytes > 16)
    return e.fma(a, b, c);
  bool isVector = isa<VectorType>(a.getType());
  auto constant = [&](double x) { return isVector ? e.splat(x) : e.scalar(x); };
  auto split = [&](V x) {
    V scaled = e.fmul(x, constant(e.real.isF64() ? 134217729.0 : 4097.0));
    V high = e.fsub(scaled, e.fsub(scaled, x));
    return std::pair(high, e.fsub(x, high));
  };
  auto [aHigh, aLow] = split(a);
  auto [bHigh, bLow] = split(b);
  V product = e.fmul(a, b);
  V error = e.fsub(e.fmul(aHigh, bHigh), product);
  error = e.fadd(e.fadd(error, e.fmul(aHigh, bLow)), e.fmul(aLow, bHigh));
  error = e.fadd(error, e.fmul(aLow, bLow));
  // Not infinite either: where only the product overflows, so does its difference to the halves' products.
  V isFinite = e.cmpf(arith::CmpFPredicate::OEQ, e.fsub(error, error), constant(0));
  return e.fadd(e.fadd(product, c), e.select(isFinite, error, constant(0)));
}
