#include "attn/Conversion/RegionEmitter.h"
#include "attn/Conversion/FmaOnce.h"
#include "attn/Dialect/Attn/Attn.h"

using namespace mlir;
using namespace attn;
using V = Value;
using Val = RegionEmitter::Val;
using Int = RegionEmitter::Int;

static V castInt(Emit &e, V v, unsigned width, bool isSigned = true) {
  Type element = getElementTypeOrSelf(v.getType());
  unsigned from = element.getIntOrFloatBitWidth();
  if (from == width)
    return v;
  Type to = e.b.getIntegerType(width);
  if (auto vt = dyn_cast<VectorType>(v.getType()))
    to = vt.clone(to);
  if (from > width)
    return arith::TruncIOp::create(e.b, e.loc, to, v);
  return isSigned && from != 1 ? (V)arith::ExtSIOp::create(e.b, e.loc, to, v)
                               : (V)arith::ExtUIOp::create(e.b, e.loc, to, v);
}

V RegionEmitter::asVector(V v) { return isa<VectorType>(v.getType()) ? v : e.broadcast(v); }
V RegionEmitter::wide(const Val &v) { return castInt(e, v.v, 64); }

Val RegionEmitter::make(V v, Int lo, Int hi) {
  unsigned width = getElementTypeOrSelf(v.getType()).getIntOrFloatBitWidth();
  if (width > 1)
    v = castInt(e, v, fits(lo, hi) ? 32 : 64);
  return Val{v, lo, hi};
}

Val RegionEmitter::indexScalar(V i64, unsigned dim) {
  Val r = make(i64, 0, INT32_MAX);
  r.plainDim = dim;
  return r;
}

Val RegionEmitter::indexLanes(V j0, unsigned dim) {
  Type i32 = e.b.getI32Type();
  V base = e.broadcast(castInt(e, j0, 32));
  // Lanes past the end of a padded panel may pass 2^31 - 1 by less than a panel; they are clamped before any use as an
  // address.
  Val r{e.add(base, e.iota(i32)), 0, INT32_MAX - 1};
  r.plainDim = dim;
  return r;
}

std::pair<V, V> RegionEmitter::unify(const Val &a, const Val &c, bool narrow) {
  V x = castInt(e, a.v, narrow ? 32 : 64), y = castInt(e, c.v, narrow ? 32 : 64);
  if (isa<VectorType>(x.getType()) || isa<VectorType>(y.getType()))
    return {asVector(x), asVector(y)};
  return {x, y};
}

Val RegionEmitter::combine(StringRef op, const Val &a, const Val &c) {
  Int lo, hi;
  if (op == "add") {
    lo = a.lo + c.lo, hi = a.hi + c.hi;
  } else if (op == "sub") {
    lo = a.lo - c.hi, hi = a.hi - c.lo;
  } else if (op == "mul") {
    // Ranges of two full i64 would overflow even 128 bits.
    auto bounded = [](const Val &v) { return v.lo >= -(Int(1) << 62) && v.hi <= (Int(1) << 62); };
    if (bounded(a) && bounded(c)) {
      Int p[] = {a.lo * c.lo, a.lo * c.hi, a.hi * c.lo, a.hi * c.hi};
      lo = *std::min_element(p, p + 4), hi = *std::max_element(p, p + 4);
    } else {
      lo = INT64_MIN, hi = INT64_MAX;
    }
  } else if (op == "min") {
    lo = std::min(a.lo, c.lo), hi = std::min(a.hi, c.hi);
  } else {
    lo = std::max(a.lo, c.lo), hi = std::max(a.hi, c.hi);
  }
  if (lo < INT64_MIN || hi > INT64_MAX)
    lo = INT64_MIN, hi = INT64_MAX;
  bool narrow = fits(lo, hi) && fits(a.lo, a.hi) && fits(c.lo, c.hi);
  auto [x, y] = unify(a, c, narrow);
  V r = op == "add"   ? e.add(x, y)
        : op == "sub" ? e.sub(x, y)
        : op == "mul" ? e.mul(x, y)
        : op == "min" ? e.min(x, y)
                      : e.max(x, y);
  return make(r, lo, hi);
}

V RegionEmitter::compareLanes(arith::CmpIPredicate p, const Val &lanes, Val scalar) {
  Int least = lanes.lo - 1, most = lanes.hi + 1;
  if (!scalar.isVector() && fits(least, most) && !fits(scalar.lo, scalar.hi)) {
    // Beyond all that a lane can be, one value is as good as another.
    scalar = combine("max", scalar, constantInt((int64_t)least));
    scalar = combine("min", scalar, constantInt((int64_t)most));
  }
  return compare(p, lanes, scalar);
}

V RegionEmitter::compare(arith::CmpIPredicate p, const Val &a, const Val &c) {
  auto [x, y] = unify(a, c, fits(a.lo, a.hi) && fits(c.lo, c.hi));
  return e.cmp(p, x, y);
}

FailureOr<Val> RegionEmitter::emit(V v) {
  auto it = values.find(v);
  if (it != values.end())
    return it->second;
  if (isa<BlockArgument>(v)) {
    auto param = params.find(v);
    if (param == params.end())
      return emitError(v.getLoc(), "[internal_region] a region uses a value that has no binding"), failure();
    Val r{param->second};
    if (v.getType().isIntOrIndex())
      r = v.getType().isInteger(32) ? make(param->second, INT32_MIN, INT32_MAX)
                                    : make(param->second, INT64_MIN, INT64_MAX);
    else if (r.v.getType() != e.real) // rows compute in f64 whatever the operands are
      r.v = e.real.isF64() ? (V)arith::ExtFOp::create(e.b, e.loc, e.real, r.v)
                           : (V)arith::TruncFOp::create(e.b, e.loc, e.real, r.v);
    return values[v] = r;
  }
  auto r = emitOp(v.getDefiningOp(), cast<OpResult>(v).getResultNumber());
  if (succeeded(r))
    values[v] = *r;
  return r;
}

FailureOr<Val> RegionEmitter::emitOp(Operation *op, unsigned) {
  if (auto load = dyn_cast<attn::LoadOp>(op)) {
    SmallVector<Val> indices;
    for (V i : load.getIndices()) {
      auto r = emit(i);
      if (failed(r))
        return failure();
      indices.push_back(*r);
    }
    auto it = tensors.find(load.getTensor());
    if (it == tensors.end())
      return op->emitError("[unsupported_operand] captured tensors are arguments of the kernel"), failure();
    auto r = loadAt(it->second, indices);
    if (failed(r))
      return failure();
    // Floats arrive in the accumulation type; a later extf of a 16-bit element is then the identity.
    return r;
  }
  APInt constant;
  if (auto c = dyn_cast<arith::ConstantOp>(op)) {
    if (matchPattern(op->getResult(0), m_ConstantInt(&constant))) {
      if (op->getResult(0).getType().isInteger(1))
        return Val{e.i1(!constant.isZero()), 0, 1};
      return constantInt(constant.getSExtValue());
    }
    return Val{e.scalar(cast<FloatAttr>(c.getValue()).getValueAsDouble())};
  }
  if (isa<MemberOp>(op))
    return member(op);
  if (auto draw = dyn_cast<attn::RandomOp>(op)) {
    auto seed = emit(draw.getSeed());
    SmallVector<Val> indices;
    for (V i : draw.getIndices()) {
      auto r = emit(i);
      if (failed(r))
        return failure();
      indices.push_back(*r);
    }
    if (failed(seed) || seed->isVector())
      return op->emitError("[unsupported_random] the seed depends on the key"), failure();
    return random(wide(*seed), indices);
  }
  if (contracts)
    if (auto r = contracted(op))
      return *r;
  return elementwise(op);
}

/// x y + z, x y - z and z - x y in one operation, where the product has no other use.
std::optional<Val> RegionEmitter::contracted(Operation *op) {
  if (!isa<arith::AddFOp, arith::SubFOp>(op))
    return std::nullopt;
  for (unsigned n = 0; n < 2; ++n) {
    auto product = op->getOperand(n).getDefiningOp<arith::MulFOp>();
    if (!product || !product->hasOneUse() || values.contains(product))
      continue;
    auto x = emit(product.getLhs()), y = emit(product.getRhs()), z = emit(op->getOperand(1 - n));
    if (failed(x) || failed(y) || failed(z))
      return std::nullopt;
    bool isVector = x->isVector() || y->isVector() || z->isVector();
    auto same = [&](V v) { return isVector ? asVector(v) : v; };
    auto negated = [&](V v) -> V { return arith::NegFOp::create(e.b, e.loc, v); };
    V a = same(x->v), c = same(y->v), d = same(z->v);
    if (isa<arith::SubFOp>(op))
      (n ? a : d) = negated(n ? a : d);
    return Val{fmaOnce(e, a, c, d)};
  }
  return std::nullopt;
}

/// The op on scalars or vectors. What arith leaves undefined is given a value, for absent lanes compute too and a trap
/// would end the process: x / 0 = 0, min / -1 = min, shifts by the width or more shift everything out, conversions to
/// integers saturate and take NaN to 0.
V RegionEmitter::total(Operation *op, ArrayRef<V> operands, Type type) {
  OpBuilder &b = e.b;
  auto constant = [&](Type t, APInt v) -> V {
    if (auto vt = dyn_cast<VectorType>(t))
      return arith::ConstantOp::create(b, e.loc, DenseElementsAttr::get(vt, v));
    return arith::ConstantOp::create(b, e.loc, b.getIntegerAttr(t, v));
  };
  auto plain = [&](ArrayRef<V> in) -> V {
    OperationState state(e.loc, op->getName().getStringRef(), in, {type}, op->getAttrs());
    if (op->getPropertiesStorage())
      state.propertiesAttr = op->getPropertiesAsAttribute();
    return b.create(state)->getResult(0);
  };
  if (isa<arith::DivSIOp, arith::DivUIOp, arith::RemSIOp, arith::RemUIOp, arith::FloorDivSIOp, arith::CeilDivSIOp,
          arith::CeilDivUIOp>(op)) {
    APInt known;
    if (matchPattern(op->getOperand(1), m_ConstantInt(&known)) && !known.isZero() && !known.isAllOnes())
      return plain(operands);
    unsigned width = getElementTypeOrSelf(type).getIntOrFloatBitWidth();
    V zero = constant(type, APInt::getZero(width)), one = constant(type, APInt(width, 1));
    V none = e.eq(operands[1], zero);
    V wraps = e.both(e.eq(operands[1], constant(type, APInt::getAllOnes(width))),
                     e.eq(operands[0], constant(type, APInt::getSignedMinValue(width))));
    bool isSigned = !isa<arith::DivUIOp, arith::RemUIOp, arith::CeilDivUIOp>(op);
    V unsafe = isSigned ? e.either(none, wraps) : none;
    return e.select(none, zero, plain({operands[0], e.select(unsafe, one, operands[1])}));
  }
  if (isa<arith::ShLIOp, arith::ShRUIOp, arith::ShRSIOp>(op)) {
    unsigned width = getElementTypeOrSelf(type).getIntOrFloatBitWidth();
    V last = constant(type, APInt(width, width - 1));
    V inside = e.cmp(arith::CmpIPredicate::ule, operands[1], last);
    V shifted = plain({operands[0], e.select(inside, operands[1], last)});
    return isa<arith::ShRSIOp>(op) ? shifted : e.select(inside, shifted, constant(type, APInt::getZero(width)));
  }
  if (isa<arith::FPToSIOp, arith::FPToUIOp>(op)) {
    const bool isSigned = isa<arith::FPToSIOp>(op);
    const unsigned width = getElementTypeOrSelf(type).getIntOrFloatBitWidth();
    if (width >= 32) {
      StringRef intrinsic = isSigned ? "llvm.fptosi.sat" : "llvm.fptoui.sat";
      return LLVM::CallIntrinsicOp::create(b, e.loc, type, b.getStringAttr(intrinsic), operands).getResult(0);
    }
    // LLVM saturates lane by lane. The bounds of fewer bits are floats, and vectors convert to 32 bits.
    V x = operands[0];
    auto number = [&](double v) -> V {
      TypedAttr attr = b.getFloatAttr(getElementTypeOrSelf(x.getType()), v);
      if (auto vector = dyn_cast<VectorType>(x.getType()))
        attr = DenseElementsAttr::get(vector, (Attribute)attr);
      return arith::ConstantOp::create(b, e.loc, attr);
    };
    using P = arith::CmpFPredicate;
    V least = number(isSigned ? -std::ldexp(1, width - 1) : 0), most = number(std::ldexp(1, width - isSigned) - 1);
    x = e.select(e.cmpf(P::ORD, x, x), x, number(0));
    x = e.select(e.cmpf(P::OGT, x, least), x, least);
    x = e.select(e.cmpf(P::OLT, x, most), x, most);
    Type words = b.getI32Type();
    if (auto vector = dyn_cast<VectorType>(type))
      words = vector.clone(words);
    return arith::TruncIOp::create(b, e.loc, type, arith::FPToSIOp::create(b, e.loc, words, x));
  }
  return plain(operands);
}

V RegionEmitter::logisticArgument(Operation *op) {
  if (!op)
    return V();
  auto isOne = [](V v) {
    FloatAttr attr;
    return matchPattern(v, m_Constant(&attr)) && attr.getValue().isExactlyValue(1.0);
  };
  auto quotient = dyn_cast<arith::DivFOp>(op);
  auto sum = quotient && isOne(quotient.getLhs()) ? quotient.getRhs().getDefiningOp<arith::AddFOp>() : arith::AddFOp();
  if (!sum)
    return V();
  for (unsigned n = 0; n < 2; ++n)
    if (auto exp = sum->getOperand(n).getDefiningOp<math::ExpOp>(); exp && isOne(sum->getOperand(1 - n)))
      return exp.getOperand();
  return V();
}

/// Integer ops on i8 and i16 whose operands and result are carried in 32 bits as they are; nothing where they may wrap.
std::optional<Val> RegionEmitter::narrow(Operation *op, ArrayRef<Val> in) {
  if (!isa<arith::AddIOp, arith::SubIOp, arith::AndIOp, arith::ShRUIOp>(op))
    return std::nullopt;
  unsigned width = op->getResult(0).getType().getIntOrFloatBitWidth();
  Int most = (Int(1) << (width - 1)) - 1;
  auto holds = [&](Int lo, Int hi) { return lo >= -most - 1 && hi <= most; };
  if (isa<arith::AddIOp>(op) && holds(in[0].lo + in[1].lo, in[0].hi + in[1].hi))
    return combine("add", in[0], in[1]);
  if (isa<arith::SubIOp>(op) && holds(in[0].lo - in[1].hi, in[0].hi - in[1].lo))
    return combine("sub", in[0], in[1]);
  std::pair<V, V> both = unify(in[0], in[1], true);
  V x = both.first, y = both.second;
  if (isa<arith::AndIOp>(op) && (in[0].lo >= 0 || in[1].lo >= 0)) {
    Int hi = in[0].lo < 0 ? in[1].hi : in[1].lo < 0 ? in[0].hi : std::min(in[0].hi, in[1].hi);
    return make(e.both(x, y), 0, hi);
  }
  if (isa<arith::ShRUIOp>(op) && in[1].lo >= 0 && in[1].hi < width) {
    // The bits of a negative one begin at its width; one that is not shifted may end negative.
    auto constant = [&](int64_t n) -> V {
      if (auto type = dyn_cast<VectorType>(x.getType()))
        return e.splatInt(type, n);
      return arith::ConstantOp::create(e.b, e.loc, e.b.getIntegerAttr(x.getType(), n));
    };
    V bits = in[0].lo < 0 ? e.both(x, constant((int64_t(1) << width) - 1)) : x;
    V r = arith::ShRUIOp::create(e.b, e.loc, bits, y);
    if (in[0].lo >= 0)
      return make(r, 0, in[0].hi);
    if (in[1].lo > 0)
      return make(r, 0, most);
    V up = arith::ShLIOp::create(e.b, e.loc, r, constant(32 - width));
    return make(arith::ShRSIOp::create(e.b, e.loc, up, constant(32 - width)), -most - 1, most);
  }
  return std::nullopt;
}

FailureOr<Val> RegionEmitter::elementwise(Operation *op) {
  if (llvm::any_of(op->getResultTypes(),
                   [&](Type t) { return isa<FloatType>(t) && t.getIntOrFloatBitWidth() > e.real.getWidth(); }))
    return op->emitError("[unsupported_float] computes in ")
               << op->getResult(0).getType() << " where operands accumulate in " << e.real << "; use f64 operands",
           failure();
  if (V z = logisticArgument(op); z && e.real.isF32()) {
    auto r = emit(z);
    if (failed(r))
      return failure();
    if (bounded && r->isVector())
      bounded->push_back(r->v);
    return Val{e.logistic(r->v, bounded && r->isVector())};
  }
  SmallVector<Val> in;
  for (V operand : op->getOperands()) {
    auto r = emit(operand);
    if (failed(r))
      return failure();
    in.push_back(*r);
  }
  bool isVector = llvm::any_of(in, [](const Val &v) { return v.isVector(); });
  auto isInt = [](Type t) { return t.isIntOrIndex() && !t.isInteger(1); };
  Type result = op->getResult(0).getType();

  // Integer arithmetic with ranges. The text's own i32 and i8 arithmetic may wrap: that is done in its width below.
  auto sixtyFour = [&] { return result.isIndex() || result.isInteger(64); };
  if (isa<arith::AddIOp>(op) && sixtyFour())
    return combine("add", in[0], in[1]);
  if (isa<arith::SubIOp>(op) && sixtyFour())
    return combine("sub", in[0], in[1]);
  if (isa<arith::MulIOp>(op) && sixtyFour())
    return combine("mul", in[0], in[1]);
  // Where the range shows that a narrow one does not wrap, 32 bits are the cheaper width.
  if (isInt(result) && !result.isIndex() && result.getIntOrFloatBitWidth() <= 16)
    if (auto r = narrow(op, in))
      return *r;
  if (isa<arith::MinSIOp>(op) && isInt(result))
    return combine("min", in[0], in[1]);
  if (isa<arith::MaxSIOp>(op) && isInt(result))
    return combine("max", in[0], in[1]);
  if (auto cmp = dyn_cast<arith::CmpIOp>(op); cmp && isInt(cmp.getLhs().getType())) {
    using P = arith::CmpIPredicate;
    if (cmp.getPredicate() != P::ult && cmp.getPredicate() != P::ule && cmp.getPredicate() != P::ugt &&
        cmp.getPredicate() != P::uge)
      return Val{compare(cmp.getPredicate(), in[0], in[1]), 0, 1};
  }
  // Quotients and remainders of what is never negative, by a constant: as narrow as the dividend.
  APInt divisor;
  if (isa<arith::DivSIOp, arith::DivUIOp, arith::FloorDivSIOp, arith::RemSIOp, arith::RemUIOp>(op) && in[0].lo >= 0 &&
      fits(in[0].lo, in[0].hi) && matchPattern(op->getOperand(1), m_ConstantInt(&divisor)) &&
      divisor.isStrictlyPositive() && divisor.getSExtValue() <= INT32_MAX) {
    bool isRem = isa<arith::RemSIOp, arith::RemUIOp>(op);
    Int by = divisor.getSExtValue();
    auto [x, y] = unify(in[0], constantInt((int64_t)by), /*narrow=*/true);
    V v = isRem ? (V)arith::RemUIOp::create(e.b, e.loc, x, y) : (V)arith::DivUIOp::create(e.b, e.loc, x, y);
    return isRem ? make(v, 0, std::min(in[0].hi, by - 1)) : make(v, in[0].lo / by, in[0].hi / by);
  }
  if (isa<arith::IndexCastOp, arith::ExtSIOp>(op) && !op->getOperand(0).getType().isInteger(1)) {
    unsigned width = result.isIndex() ? 64 : result.getIntOrFloatBitWidth();
    Int hi = (Int(1) << (width - 1)) - 1;
    if (in[0].lo >= -hi - 1 && in[0].hi <= hi)
      return in[0]; // the value is unchanged
  }
  if (isa<arith::SIToFPOp>(op))
    return Val{arith::SIToFPOp::create(e.b, e.loc, in[0].isVector() ? (Type)e.vecOf(e.real) : (Type)e.real, in[0].v)};
  // Floats are all of the accumulation type here.
  if (isa<arith::ExtFOp, arith::TruncFOp>(op))
    return in[0];
  if (isa<math::Exp2Op>(op))
    return Val{e.exp2(in[0].v, boundedExp2, coarseExp2)};
  if (isa<math::LogOp>(op) && !isVector)
    return Val{e.log(in[0].v)};
  if (e.real.isF64()) {
    if (isa<math::LogOp>(op))
      return Val{e.log64(in[0].v)};
    if (isa<math::Log2Op>(op))
      return Val{e.log64(in[0].v, Emit::LogBase::Two)};
    if (isa<math::Log10Op>(op))
      return Val{e.log64(in[0].v, Emit::LogBase::Ten)};
    if (isa<math::Log1pOp>(op))
      return Val{e.log1p64(in[0].v)};
  }
  if (isa<math::RsqrtOp>(op)) {
    V one = in[0].isVector() ? e.splat(1) : e.scalar(1);
    return Val{e.fdiv(one, math::SqrtOp::create(e.b, e.loc, in[0].v))};
  }
  if (e.real.isF64()) {
    if (isa<math::ExpOp>(op))
      return Val{e.exp64(in[0].v, false)};
    if (isa<math::ExpM1Op>(op))
      return Val{e.exp64(in[0].v, true)};
    if (isa<math::TanhOp>(op))
      return Val{e.tanh64(in[0].v)};
  } else {
    if (isa<math::ExpOp>(op))
      return Val{e.exp32(in[0].v)};
    if (isa<math::ExpM1Op>(op))
      return Val{e.expm132(in[0].v)};
    if (isa<math::TanhOp>(op))
      return Val{e.tanh32(in[0].v, ofScores)};
    if (isa<math::LogOp>(op))
      return Val{e.log32(in[0].v)};
    if (isa<math::Log1pOp>(op))
      return Val{e.log1p32(in[0].v)};
  }
  // A scalar transcendental outside the hot path goes through one vector, for which there are polynomials.
  bool lift = !isVector && op->getDialect()->getNamespace() == "math" && isa<FloatType>(result) &&
              !isa<math::AbsFOp, math::SqrtOp, math::FmaOp, math::FloorOp, math::CeilOp, math::RoundEvenOp,
                   math::TruncOp, math::CopySignOp>(op);

  // Everything else: the op itself, in the text's own integer widths (index is 64 bits), on scalars or vectors.
  auto typeOf = [&](Type t, bool vector) -> Type {
    if (t.isIndex())
      t = e.b.getI64Type();
    else if (isa<FloatType>(t))
      t = e.real;
    return vector ? (Type)e.vecOf(t) : t;
  };
  SmallVector<V> operands;
  for (auto [operand, v] : llvm::zip(op->getOperands(), in)) {
    V x = v.v;
    if (isInt(operand.getType()))
      x = castInt(e, x, operand.getType().isIndex() ? 64 : operand.getType().getIntOrFloatBitWidth());
    operands.push_back(isVector || lift ? asVector(x) : x);
  }
  if (isa<arith::IndexCastOp>(op)) {
    unsigned to = result.isIndex() ? 64 : result.getIntOrFloatBitWidth();
    return make(castInt(e, operands[0], to), INT64_MIN, INT64_MAX);
  }
  V r = total(op, operands, typeOf(result, isVector || lift));
  if (lift)
    r = vector::ExtractOp::create(e.b, e.loc, r, ArrayRef<int64_t>{0});
  if (!isInt(result))
    return Val{r, 0, 1};
  unsigned width = result.isIndex() ? 64 : result.getIntOrFloatBitWidth();
  Int hi = (Int(1) << (width - 1)) - 1;
  return make(r, -hi - 1, hi);
}
