#include "FeatureLanes.h"

using namespace mlir;
using namespace attn;

FeatureLanes attn::uniformLanes(int64_t value, int64_t lanes) {
  FeatureLanes r;
  r.at.assign(lanes, value);
  return r;
}

static unsigned widthOf(Type t) { return t.isIndex() ? 64 : t.getIntOrFloatBitWidth(); }

/// The value as an integer of that width would hold it: sign-extended, i1 as 0 and 1.
static int64_t wrapped(APInt v, Type type) {
  v = v.zextOrTrunc(widthOf(type));
  return widthOf(type) == 1 ? (int64_t)v.getZExtValue() : v.getSExtValue();
}

/// One lane; arith as the language has it: it wraps, x / 0 = 0, shifts by the width or more shift everything out.
static std::optional<int64_t> foldLane(Operation *op, ArrayRef<int64_t> in) {
  Type from = op->getOperand(op->getNumOperands() - 1).getType(), to = op->getResult(0).getType();
  unsigned width = widthOf(from);
  SmallVector<APInt> v;
  for (int64_t x : in)
    v.push_back(APInt(64, (uint64_t)x, true).sextOrTrunc(width));
  auto done = [&](APInt r) -> std::optional<int64_t> { return wrapped(std::move(r), to); };
  auto shift = [&](auto f, bool arithmetic) -> std::optional<int64_t> {
    if (v[1].ult(width))
      return done(f(v[0], v[1]));
    return arithmetic && v[0].isNegative() ? -1 : 0;
  };
  bool none = v.size() > 1 && v[1].isZero();
  bool wraps = v.size() > 1 && v[1].isAllOnes() && v[0].isMinSignedValue();
  if (isa<arith::AddIOp>(op))
    return done(v[0] + v[1]);
  if (isa<arith::SubIOp>(op))
    return done(v[0] - v[1]);
  if (isa<arith::MulIOp>(op))
    return done(v[0] * v[1]);
  if (isa<arith::AndIOp>(op))
    return done(v[0] & v[1]);
  if (isa<arith::OrIOp>(op))
    return done(v[0] | v[1]);
  if (isa<arith::XOrIOp>(op))
    return done(v[0] ^ v[1]);
  if (isa<arith::DivUIOp>(op))
    return none ? 0 : done(v[0].udiv(v[1]));
  if (isa<arith::RemUIOp>(op))
    return none ? 0 : done(v[0].urem(v[1]));
  if (isa<arith::DivSIOp>(op))
    return none ? 0 : wraps ? done(v[0]) : done(v[0].sdiv(v[1]));
  if (isa<arith::RemSIOp>(op))
    return none || wraps ? 0 : done(v[0].srem(v[1]));
  if (isa<arith::FloorDivSIOp>(op)) {
    if (none || wraps)
      return none ? 0 : done(v[0]);
    return done(llvm::APIntOps::RoundingSDiv(v[0], v[1], APInt::Rounding::DOWN));
  }
  if (isa<arith::MinSIOp>(op))
    return done(llvm::APIntOps::smin(v[0], v[1]));
  if (isa<arith::MaxSIOp>(op))
    return done(llvm::APIntOps::smax(v[0], v[1]));
  if (isa<arith::ShLIOp>(op))
    return shift([](const APInt &a, const APInt &n) { return a.shl(n); }, false);
  if (isa<arith::ShRUIOp>(op))
    return shift([](const APInt &a, const APInt &n) { return a.lshr(n); }, false);
  if (isa<arith::ShRSIOp>(op))
    return shift([](const APInt &a, const APInt &n) { return a.ashr(n); }, true);
  if (isa<arith::ExtUIOp, arith::IndexCastUIOp>(op))
    return done(v[0].zextOrTrunc(widthOf(to)));
  if (isa<arith::ExtSIOp, arith::IndexCastOp, arith::TruncIOp>(op))
    return done(v[0].sextOrTrunc(widthOf(to)));
  if (auto cmp = dyn_cast<arith::CmpIOp>(op))
    return arith::applyCmpPredicate(cmp.getPredicate(), v[0], v[1]) ? 1 : 0;
  if (isa<arith::SelectOp>(op))
    return in[0] ? in[1] : in[2];
  return std::nullopt;
}

/// base + at, where the op leaves the base as it is or divides it.
static std::optional<FeatureLanes> foldWithBase(Operation *op, ArrayRef<FeatureLanes> in, Emit &e) {
  Type type = op->getResult(0).getType();
  if (!type.isIndex() && !type.isInteger(64) && !type.isInteger(32)) // narrower ones may wrap
    return std::nullopt;
  if (isa<arith::ExtSIOp, arith::ExtUIOp, arith::IndexCastOp, arith::IndexCastUIOp, arith::TruncIOp>(op))
    return in[0].least() >= 0 ? std::optional(in[0]) : std::nullopt;
  if (in.size() != 2)
    return std::nullopt;
  bool left = (bool)in[0].base;
  if (left && in[1].base)
    return std::nullopt;
  FeatureLanes r = in[left ? 0 : 1];
  auto lanes = [&](auto f) {
    for (auto [n, x] : llvm::enumerate(r.at))
      x = f(in[0].at[n], in[1].at[n]);
    return r;
  };
  const FeatureLanes &other = in[left ? 1 : 0];
  int64_t by = other.at[0];
  if (isa<arith::AddIOp>(op))
    return lanes([](int64_t a, int64_t c) { return a + c; });
  if (!left) // of the others those that commute have the constant on the right in any text worth the trouble
    return std::nullopt;
  if (isa<arith::SubIOp>(op))
    return lanes([](int64_t a, int64_t c) { return a - c; });
  if (!other.isUniform() || by <= 0 || r.least() < 0)
    return std::nullopt;
  bool divides = r.multiple % by == 0;
  if (isa<arith::DivUIOp, arith::DivSIOp, arith::FloorDivSIOp>(op) && divides) {
    r.base = e.divUnsigned(r.base, by);
    r.multiple /= by, r.most /= by;
    return lanes([](int64_t a, int64_t c) { return a / c; });
  }
  if (isa<arith::RemUIOp, arith::RemSIOp>(op) && divides) {
    r.base = Value();
    return lanes([](int64_t a, int64_t c) { return a % c; });
  }
  if (isa<arith::MulIOp>(op) && by < (int64_t(1) << 20)) {
    r.base = e.mul(r.base, by);
    r.multiple *= by, r.most *= by;
    return lanes([](int64_t a, int64_t c) { return a * c; });
  }
  // Bits below the lowest one that the base can have; lanes must not carry beyond.
  int64_t low = r.multiple & -r.multiple;
  if (by >= low || r.greatest() >= low)
    return std::nullopt;
  if (isa<arith::XOrIOp>(op))
    return lanes([](int64_t a, int64_t c) { return a ^ c; });
  if (isa<arith::OrIOp>(op))
    return lanes([](int64_t a, int64_t c) { return a | c; });
  if (isa<arith::AndIOp>(op)) {
    r.base = Value();
    return lanes([](int64_t a, int64_t c) { return a & c; });
  }
  if (isa<arith::ShRUIOp, arith::ShRSIOp>(op) && by < 32 && r.multiple % (int64_t(1) << by) == 0) {
    r.base = e.divUnsigned(r.base, int64_t(1) << by);
    r.multiple >>= by, r.most >>= by;
    return lanes([](int64_t a, int64_t c) { return a >> c; });
  }
  return std::nullopt;
}

std::optional<FeatureLanes> attn::foldLanes(Operation *op, ArrayRef<FeatureLanes> operands, Emit *e) {
  if (op->getNumResults() != 1 || !op->getResult(0).getType().isIntOrIndex() || operands.empty())
    return std::nullopt;
  if (llvm::any_of(operands, [](const FeatureLanes &x) { return (bool)x.base; }))
    return e ? foldWithBase(op, operands, *e) : std::nullopt;
  FeatureLanes r;
  for (size_t lane = 0; lane < operands[0].at.size(); ++lane) {
    SmallVector<int64_t> in;
    for (const FeatureLanes &x : operands)
      in.push_back(x.at[lane]);
    auto v = foldLane(op, in);
    if (!v)
      return std::nullopt;
    r.at.push_back(*v);
  }
  return r;
}
