// bra, call, ret, exit, trap, brkpt.
#include "Decode.h"
#include "Machine.h"

using namespace attn::sim;

namespace {

Step execBranch(Machine &m, Warp &w, const Instr &i, uint32_t mask) {
  if (i.mode && mask != w.strand().mask && i.guard < 0)
    m.stop("divergence", i, "bra.uni is for branches that all lanes take together", "drop .uni");
  m.branch(w, mask, i.target);
  return Step::Jump;
}

Step execExit(Machine &m, Warp &w, const Instr &, uint32_t mask) {
  m.exitLanes(w, mask);
  return Step::Jump;
}

void copyLocal(Machine &m, Warp &w, uint32_t mask, uint64_t to, uint64_t from, uint64_t bytes) {
  Allocation &local = w.cta->local;
  for (unsigned l = 0; l < warpLanes; ++l) {
    if (!(mask >> l & 1))
      continue;
    const uint64_t frame = (w.index * warpLanes + l) * m.program.localBytes;
    memmove(&local.data[frame + to], &local.data[frame + from], bytes);
    memmove(&local.state[frame + to], &local.state[frame + from], bytes);
    for (uint64_t n = 0; n < bytes; ++n)
      if (local.state[frame + to + n] == StoredPoison)
        local.origins[frame + to + n] = local.origins[frame + from + n];
  }
}

/// Lanes that the guard leaves out become a strand of their own behind the call.
Step execCall(Machine &m, Warp &w, const Instr &i, uint32_t mask) {
  const FunctionCode &f = m.program.functions[i.target];
  const int32_t *slot = &m.program.slots[i.slots];
  const uint32_t pc = w.strand().pc;
  for (const Frame &frame : w.strand().stack)
    if (frame.function == i.target)
      m.stop("undefined", i, "a recursive call; registers of functions exist once here", "unroll the recursion");
  const size_t returns = f.returnAddresses.size();
  for (size_t n = 0; n < f.paramAddresses.size(); ++n)
    copyLocal(m, w, mask, f.paramAddresses[n], w.value(slot[returns + n])[0], f.function->params[n].bytes);
  m.branch(w, mask, f.start);
  for (Strand &s : w.strands)
    if (s.mask == mask && s.pc == f.start)
      s.stack.push_back({pc, i.target});
  return Step::Jump;
}

Step execReturn(Machine &m, Warp &w, const Instr &i, uint32_t mask) {
  Strand &s = w.strand();
  if (s.stack.empty())
    return execExit(m, w, i, mask);
  const Frame frame = s.stack.back();
  const FunctionCode &f = m.program.functions[frame.function];
  const Instr &call = m.program.code[frame.returnPc];
  const int32_t *slot = &m.program.slots[call.slots];
  for (size_t n = 0; n < f.returnAddresses.size(); ++n)
    copyLocal(m, w, mask, w.value(slot[n])[0], f.returnAddresses[n], f.function->returns[n].bytes);
  m.branch(w, mask, frame.returnPc + 1);
  for (Strand &t : w.strands)
    if (t.mask == mask && t.pc == frame.returnPc + 1 && t.stack.size() && t.stack.back().returnPc == frame.returnPc)
      t.stack.pop_back();
  return Step::Jump;
}

Step execTrap(Machine &m, Warp &w, const Instr &i, uint32_t mask) {
  m.stop("trap", i, m.who(w, unsigned(__builtin_ctz(mask))) + " ends the grid with an error",
         "see which check of the kernel's own leads here");
}

} // namespace

namespace attn::sim {

void decodeBranch(Decoder &d) {
  d.in.mode = d.take("uni");
  d.expectOperands(1, 1);
  const Operand &o = d.operand(0);
  const auto target = o.kind == Operand::Name ? d.function->findLabel(d.st->scope, o.name) : std::nullopt;
  if (!target)
    d.fail(o, "'" + o.name + "' is no label of '" + d.function->name + "'");
  d.in.target = *target;
  d.in.flags = 0x80; // its target is relative to the body until Decode has placed that
  d.set(execBranch);
}

void decodeCall(Decoder &d) {
  d.take("uni");
  size_t n = 0;
  std::vector<const Operand *> returns, arguments;
  if (d.operands() > 1 && d.operand(0).kind == Operand::List)
    for (const Operand &o : d.operand(n++).elements)
      returns.push_back(&o);
  d.in.target = d.functionNamed(d.operand(n++));
  if (n < d.operands() && d.operand(n).kind == Operand::List)
    for (const Operand &o : d.operand(n++).elements)
      arguments.push_back(&o);
  const FunctionCode &f = d.program.functions[d.in.target];
  if (n != d.operands() || returns.size() != f.returnAddresses.size() || arguments.size() != f.paramAddresses.size())
    d.fail("the call does not fit '" + f.function->name + "'");
  for (const auto *list : {&returns, &arguments})
    for (const Operand *o : *list) {
      const auto symbol = o->kind == Operand::Name ? d.program.symbols.find(o->name) : d.program.symbols.end();
      if (symbol == d.program.symbols.end())
        d.fail(*o, "arguments of calls that are no .param variables are not simulated");
      d.sourceWord(symbol->second);
    }
  d.set(execCall);
}

void decodeReturn(Decoder &d) {
  d.take("uni");
  d.expectOperands(0, 0);
  d.set(d.st->root == "exit" ? execExit : execReturn);
}

void decodeTrap(Decoder &d) { d.set(execTrap); }

} // namespace attn::sim
