#include "Machine.h"

#include "IntegerOps.h"
#include "RealOps.h"
#include "attn/Support/Philox.h"

#include <cmath>

using namespace attn::interpreter;

template <typename Real, bool Plain>
Machine<Real, Plain>::Machine(const Program &program) : program(program), regs(program.numRegs) {
  for (const Constant &c : program.constants) {
    if (c.isFloat)
      regs[c.reg].f = c.f;
    else
      regs[c.reg].i = c.i;
  }
}

template <typename Real, bool Plain> bool Machine<Real, Plain>::run() {
  regs[program.bad].i = 0;
  execute(program.insts);
  return regs[program.bad].i == 0;
}

template <typename Real, bool Plain> void Machine<Real, Plain>::execute(llvm::ArrayRef<Inst> insts) {
  for (const Inst &inst : insts) {
    Register &d = regs[inst.dst];
    const Register &a = regs[inst.a], &b = regs[inst.b], &c = regs[inst.c];
    if (inst.op <= kLastInteger)
      d.i = integerOp(inst, a.i, b.i);
    else if (inst.op > kLastReal)
      mixed(inst, d, a, b, c);
    else if (Plain && inst.op == Opcode::Fma && inst.format == Format::F32) // in double it would round twice
      d.f = std::fma((float)a.f, (float)b.f, (float)c.f);
    else
      d.f = round(inst, realOp(inst.op, a.f, b.f, c.f));
  }
}

/// The value truncated toward zero, saturated to the width; as unsigned, the bits of the unsigned value.
template <typename Real> static int64_t toInteger(Real x, unsigned width, bool isSigned) {
  if (std::isnan(x))
    return 0;
  Real low = isSigned ? -std::ldexp(Real(1), width - 1) : Real(0),
       high = std::ldexp(Real(1), isSigned ? width - 1 : width);
  Real t = std::trunc(x);
  if (t < low)
    return isSigned ? wrap((int64_t)((uint64_t)1 << (width - 1)), width) : 0;
  if (t >= high)
    return isSigned ? (int64_t)(((uint64_t)1 << (width - 1)) - 1) : -1;
  return wrap(isSigned ? (int64_t)t : (int64_t)(uint64_t)t, width);
}

static int64_t truth(bool b) { return b ? -1 : 0; }

template <typename Real, bool Plain>
void Machine<Real, Plain>::mixed(const Inst &inst, Register &d, const Register &a, const Register &b,
                                 const Register &c) {
  switch (inst.op) {
  case Opcode::CmpI:
    d.i = truth(compareIntegers(inst, a.i, b.i));
    return;
  case Opcode::CmpF:
    d.i = truth(compareReals<Real>(inst.predicate, a.f, b.f));
    return;
  case Opcode::Select:
    d = a.i ? b : c;
    return;
  case Opcode::SiToF: // straight to f32: 64 bits do not fit a double
    d.f = Plain && inst.format == Format::F32 ? (Real)(float)a.i : round(inst, (Real)a.i);
    return;
  case Opcode::UiToF: {
    uint64_t u = zeroExtend(a.i, inst.from);
    d.f = Plain && inst.format == Format::F32 ? (Real)(float)u : round(inst, (Real)u);
    return;
  }
  case Opcode::FToSi:
    d.i = toInteger(a.f, inst.to, true);
    return;
  case Opcode::FToUi:
    d.i = toInteger(a.f, inst.to, false);
    return;
  case Opcode::FToBits:
    d.i = bitsOf(inst.format, (double)a.f);
    return;
  case Opcode::BitsToF:
    d.f = valueOf(inst.format, a.i);
    return;
  case Opcode::FPowI:
    d.f = round(inst, std::pow(a.f, (Real)b.i));
    return;
  case Opcode::IsFinite:
    d.i = truth(std::isfinite(a.f));
    return;
  case Opcode::IsInf:
    d.i = truth(std::isinf(a.f));
    return;
  case Opcode::IsNaN:
    d.i = truth(std::isnan(a.f));
    return;
  case Opcode::IsNormal:
    d.i = truth(std::isnormal(a.f));
    return;
  case Opcode::Load:
    load(inst, d);
    return;
  case Opcode::Member:
    d.i = truth(member(inst, b.i));
    return;
  case Opcode::Random:
    d.f = random(inst, b.i);
    return;
  case Opcode::LessSquare:
    d.i = b.i > 0 && a.i < (__int128)b.i * b.i ? True : False;
    return;
  case Opcode::DiffLeq:
    d.i = (__int128)a.i - b.i <= c.i ? True : False;
    return;
  case Opcode::SetAnd:
    d.i = a.i == False || b.i == False ? False : a.i == Unknown || b.i == Unknown ? Unknown : True;
    return;
  case Opcode::SetOr:
    d.i = a.i == True || b.i == True ? True : a.i == Unknown || b.i == Unknown ? Unknown : False;
    return;
  case Opcode::SetNot:
    d.i = a.i == Unknown ? Unknown : a.i == True ? False : True;
    return;
  case Opcode::NonZeroI:
    d.i = a.i != 0 ? True : False;
    return;
  case Opcode::NonZeroF:
    d.i = a.f != 0 ? True : False;
    return;
  case Opcode::Clear:
    d.i = 0;
    return;
  case Opcode::TakeBad:
    d.i = b.i ? Unknown : a.i != 0 ? True : False;
    return;
  default:
    llvm_unreachable("not a mixed instruction");
  }
}

template <typename Real, bool Plain>
std::optional<int64_t> Machine<Real, Plain>::offset(const View &view, llvm::ArrayRef<uint32_t> indices, uint32_t bad) {
  int64_t offset = 0;
  bool good = true;
  for (auto [axis, reg] : llvm::enumerate(indices)) {
    int64_t index = regs[reg].i;
    if (index < 0 || index >= view.shape[axis]) {
      regs[bad].i |= index == -1 ? 2 : 1;
      good = false;
    }
    offset += good ? index * view.stride[axis] : 0;
  }
  return good ? std::optional(offset) : std::nullopt;
}

template <typename Real, bool Plain> void Machine<Real, Plain>::load(const Inst &inst, Register &d) {
  const LoadAccess &access = program.loads[inst.a];
  auto at = offset(access.view, access.indices, inst.b);
  if (!at)
    d = Register();
  else if (isFloat(access.view.format))
    d.f = readFloat(access.view, *at);
  else
    d.i = readInt(access.view, *at);
}

/// The whole list is looked at: elements stand in any order.
template <typename Real, bool Plain> bool Machine<Real, Plain>::member(const Inst &inst, int64_t value) {
  const ListAccess &access = program.lists[inst.a];
  auto start = offset(access.view, access.indices, inst.c);
  if (!start)
    return false;
  const int64_t last = access.view.rank - 1, n = access.view.shape[last], stride = access.view.stride[last];
  int64_t from = access.ranged ? regs[access.from].i : 0, to = access.ranged ? regs[access.to].i : n;
  if (from < 0 || from > n || to < 0 || to > n) {
    regs[inst.c].i |= 1;
    return false;
  }
  return from < to && contains(access.view, *start + from * stride, stride, to - from, value);
}

template <typename Real, bool Plain> float Machine<Real, Plain>::random(const Inst &inst, int64_t seed) {
  llvm::SmallVector<int64_t, 4> indices;
  for (uint32_t reg : program.randoms[inst.a].indices)
    indices.push_back(regs[reg].i);
  return randomUnit(seed, indices);
}

template class attn::interpreter::Machine<double, true>;
template class attn::interpreter::Machine<double, false>;
template class attn::interpreter::Machine<long double, false>;
