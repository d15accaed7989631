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
  case Opcode::AddI:
    return ua + ub;
  case Opcode::SubI:
    return ua - ub;
  case Opcode::MulI:
    return ua * ub;
  case Opcode::MulHiS:
    return (int64_t)(((__int128)a * b) >> w);
  case Opcode::MulHiU:
    return (int64_t)(((unsigned __int128)za * zb) >> w);
  case Opcode::CarryI:
    return (((unsigned __int128)za + zb) >> w) ? -1 : 0;
  case Opcode::DivS:
    return b == 0 ? 0 : divideSigned(a, b);
  case Opcode::DivU:
    return zb == 0 ? 0 : za / zb;
  case Opcode::CeilDivS:
    return b == 0 ? 0 : divideSigned(a, b) + (b != -1 && a % b != 0 && (a < 0) == (b < 0));
  case Opcode::CeilDivU:
    return zb == 0 ? 0 : za / zb + (za % zb != 0);
  case Opcode::FloorDivS:
    return b == 0 ? 0 : divideSigned(a, b) - (b != -1 && a % b != 0 && (a < 0) != (b < 0));
  case Opcode::RemS:
    return b == 0 || b == -1 ? 0 : a % b;
  case Opcode::RemU:
    return zb == 0 ? 0 : za % zb;
  case Opcode::AndI:
    return a & b;
  case Opcode::OrI:
    return a | b;
  case Opcode::XorI:
    return a ^ b;
  case Opcode::ShL:
    return zb >= w ? 0 : ua << zb;
  case Opcode::ShRS:
    return zb >= w ? a >> 63 : a >> zb;
  case Opcode::ShRU:
    return zb >= w ? 0 : za >> zb;
  case Opcode::MaxS:
    return std::max(a, b);
  case Opcode::MinS:
    return std::min(a, b);
  case Opcode::MaxU:
    return std::max(za, zb);
  case Opcode::MinU:
    return std::min(za, zb);
  case Opcode::Sext:
    return a;
  case Opcode::Zext:
    return za;
  case Opcode::AbsI:
    return a < 0 ? 0 - ua : ua;
  case Opcode::CtLz:
    return llvm::countl_zero(za) - (64 - (int)w);
  case Opcode::CtTz:
    return std::min<int>(llvm::countr_zero(za), w);
  case Opcode::CtPop:
    return llvm::popcount(za);
  case Opcode::IPowI:
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
