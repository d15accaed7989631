#include "IntegerOps.h"

#include "llvm/ADT/bit.h"

using namespace mlir;
using namespace attn::interpreter;

static int64_t divideSigned(int64_t a, int64_t b) {
  return b == -1 ? (int64_t)(0 - (uint64_t)a) : a / b; // the least integer over -1 wraps
}

static int64_t power(int64_t base, int64_t exponent) {
  if (exponent < 0)
    return base == 1 ? 1 : base == -1 ? (exponent % 2 ? -1 : 1) : 0;
  uint64_t result = 1, square = base;
  for (; exponent; exponent >>= 1, square *= square)
    if (exponent & 1)
      result *= square;
  return result;
}

static int64_t unwrapped(const Inst &inst, int64_t a, int64_t b) {
  unsigned w = inst.from;
  uint64_t ua = a, ub = b, za = zeroExtend(a, w), zb = zeroExtend(b, w);
  switch (inst.op) {
  case Op::AddI:
    return ua + ub;
  case Op::SubI:
    return ua - ub;
  case Op::MulI:
    return ua * ub;
  case Op::MulHiS:
    return (int64_t)(((__int128)a * b) >> w);
  case Op::MulHiU:
    return (int64_t)(((unsigned __int128)za * zb) >> w);
  case Op::CarryI:
    return (((unsigned __int128)za + zb) >> w) ? -1 : 0;
  case Op::DivS:
    return b == 0 ? 0 : divideSigned(a, b);
  case Op::DivU:
    return zb == 0 ? 0 : za / zb;
  case Op::CeilDivS:
    return b == 0 ? 0 : divideSigned(a, b) + (b != -1 && a % b != 0 && (a < 0) == (b < 0));
  case Op::CeilDivU:
    return zb == 0 ? 0 : za / zb + (za % zb != 0);
  case Op::FloorDivS:
    return b == 0 ? 0 : divideSigned(a, b) - (b != -1 && a % b != 0 && (a < 0) != (b < 0));
  case Op::RemS:
    return b == 0 || b == -1 ? 0 : a % b;
  case Op::RemU:
    return zb == 0 ? 0 : za % zb;
  case Op::AndI:
    return a & b;
  case Op::OrI:
    return a | b;
  case Op::XorI:
    return a ^ b;
  case Op::ShL:
    return zb >= w ? 0 : ua << zb;
  case Op::ShRS:
    return zb >= w ? a >> 63 : a >> zb;
  case Op::ShRU:
    return zb >= w ? 0 : za >> zb;
  case Op::MaxS:
    return std::max(a, b);
  case Op::MinS:
    return std::min(a, b);
  case Op::MaxU:
    return std::max(za, zb);
  case Op::MinU:
    return std::min(za, zb);
  case Op::Sext:
    return a;
  case Op::Zext:
    return za;
  case Op::AbsI:
    return a < 0 ? 0 - ua : ua;
  case Op::CtLz:
    return llvm::countl_zero(za) - (64 - (int)w);
  case Op::CtTz:
    return std::min<int>(llvm::countr_zero(za), w);
  case Op::CtPop:
    return llvm::popcount(za);
  case Op::IPowI:
    return power(a, b);
  default:
    llvm_unreachable("not an integer instruction");
  }
}

int64_t attn::interpreter::integerOp(const Inst &inst, int64_t a, int64_t b) {
  return wrap(unwrapped(inst, a, b), inst.to);
}

bool attn::interpreter::compareIntegers(const Inst &inst, int64_t a, int64_t b) {
  uint64_t za = zeroExtend(a, inst.from), zb = zeroExtend(b, inst.from);
  switch ((arith::CmpIPredicate)inst.predicate) {
  case arith::CmpIPredicate::eq:
    return a == b;
  case arith::CmpIPredicate::ne:
    return a != b;
  case arith::CmpIPredicate::slt:
    return a < b;
  case arith::CmpIPredicate::sle:
    return a <= b;
  case arith::CmpIPredicate::sgt:
    return a > b;
  case arith::CmpIPredicate::sge:
    return a >= b;
  case arith::CmpIPredicate::ult:
    return za < zb;
  case arith::CmpIPredicate::ule:
    return za <= zb;
  case arith::CmpIPredicate::ugt:
    return za > zb;
  case arith::CmpIPredicate::uge:
    return za >= zb;
  }
  llvm_unreachable("unknown predicate");
}
