// Runs a Program. Real is the type that every float register has; with `Plain` each float result is rounded to its own
// format.
#ifndef ATTN_LIB_INTERPRETER_MACHINE_H
#define ATTN_LIB_INTERPRETER_MACHINE_H

#include "Program.h"

namespace attn::interpreter {

template <typename Real> union Cell {
  int64_t i;
  Real f;
};

template <typename Real, bool Plain> class Machine {
public:
  explicit Machine(const Program &program);

  void setInt(unsigned arg, int64_t value) { regs[program.args[arg]].i = value; }
  void setReal(unsigned arg, Real value) { regs[program.args[arg]].f = value; }
  /// After the arguments but the last were set.
  void startRow() { execute(program.first); }
  /// False when a load outside of a `where` had a bad index: the results mean nothing.
  bool run();
  /// Whether one of the bad indices was -1, after a run that was not good.
  bool padded() const { return regs[program.bad].i & 2; }
  Real real(unsigned result = 0) const { return regs[program.results[result]].f; }
  int64_t integer(unsigned result = 0) const { return regs[program.results[result]].i; }

private:
  using Register = Cell<Real>;
  Real round(const Inst &inst, Real x) const {
    if (Plain && inst.format != Format::F64)
      return roundTo(inst.format, x);
    return x;
  }
  void execute(llvm::ArrayRef<Inst> insts);
  void mixed(const Inst &inst, Register &d, const Register &a, const Register &b, const Register &c);
  void load(const Inst &inst, Register &d);
  bool member(const Inst &inst, int64_t value);
  float random(const Inst &inst, int64_t seed);
  /// Offset of the element at the registers of the leading axes; none, and `bad` is not 0, if one is outside: bit 1
  /// where one is -1, bit 0 where one is anything else.
  std::optional<int64_t> offset(const View &view, llvm::ArrayRef<uint32_t> indices, uint32_t bad);

  const Program &program;
  std::vector<Register> regs;
};

extern template class Machine<double, true>;
extern template class Machine<double, false>;
extern template class Machine<long double, false>;

} // namespace attn::interpreter

#endif
