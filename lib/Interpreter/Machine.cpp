#include "Machine.h"

#include "IntegerOps.h"
#include "RealOps.h"

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
  for (const Inst &inst : program.insts) {
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
  return regs[program.bad].i == 0;
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

template <typename Real, bool Plain> void Machine<Real, Plain>::load(const Inst &inst, Register &d) {
  const LoadAccess &access = program.loads[inst.a];
  int64_t offset = 0;
  for (unsigned axis = 0; axis < access.view.rank; ++axis) {
    int64_t index = regs[access.indices[axis]].i;
    if (index < 0 || index >= access.view.shape[axis]) {
      regs[inst.b].i = 1;
      d = Register();
      return;
    }
    offset += index * access.view.stride[axis];
  }
  if (isFloat(access.view.format))
    d.f = readFloat(access.view, offset);
  else
    d.i = readInt(access.view, offset);
}

template class attn::interpreter::Machine<double, true>;
template class attn::interpreter::Machine<double, false>;
template class attn::interpreter::Machine<long double, false>;
