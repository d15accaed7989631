// Operands and modifiers of statements, and the order in which functions are decoded.
#include "Decode.h"

#include <fmt/format.h>

#include <algorithm>

using namespace attn::sim;

bool Decoder::has(std::string_view modifier) const {
  return std::find(mods.begin(), mods.end(), modifier) != mods.end();
}

bool Decoder::take(std::string_view modifier) {
  auto found = std::find(mods.begin(), mods.end(), modifier);
  if (found == mods.end())
    return false;
  mods.erase(found);
  return true;
}

int Decoder::takeOneOf(std::initializer_list<const char *> names) {
  int n = 0;
  for (const char *name : names) {
    if (take(name))
      return n;
    ++n;
  }
  return -1;
}

Type Decoder::takeTypeIf() {
  for (auto m = mods.begin(); m != mods.end(); ++m)
    if (const auto type = typeNamed(*m)) {
      mods.erase(m);
      return *type;
    }
  return Type::None;
}

Type Decoder::takeType() {
  const Type type = takeTypeIf();
  if (type == Type::None)
    fail(fmt::format("'{}' has no type", st->text));
  return type;
}

void Decoder::takeRounding() {
  const int n = takeOneOf({"rn", "rz", "rm", "rp"});
  if (n > 0)
    in.info.rounding = Rounding(n);
}

void Decoder::takeCacheHints() {
  for (const char *hint : {"ca", "cg", "cs", "cv", "lu", "wb", "wt", "nc", "L1::evict_normal", "L1::evict_unchanged",
                           "L1::evict_first", "L1::evict_last", "L1::no_allocate", "L2::evict_last", "L2::evict_normal",
                           "L2::evict_first", "L2::64B", "L2::128B", "L2::256B"})
    take(hint);
}

Space Decoder::takeSpace(Space otherwise) {
  const int n =
      takeOneOf({"global", "shared", "shared::cta", "local", "param", "const", "param::entry", "param::func"});
  static const Space spaces[] = {Space::Global, Space::Shared, Space::Shared, Space::Local,
                                 Space::Param,  Space::Const,  Space::Param,  Space::Param};
  return n < 0 ? otherwise : spaces[n];
}

void Decoder::takeSemantics() {
  static const uint8_t semantics[] = {Relaxed, Acquire, Release, AcquireRelease, Sequential};
  const int sem = takeOneOf({"relaxed", "acquire", "release", "acq_rel", "sc"});
  const int scope = takeOneOf({"cta", "cluster", "gpu", "sys"});
  if (sem >= 0)
    in.semantics = semantics[sem];
  if (scope >= 0)
    in.scope = Scope(scope + 1);
}

const Operand &Decoder::operand(size_t n) const {
  if (n >= st->operands.size())
    fail(fmt::format("'{}' lacks an operand: it has {}", st->text, st->operands.size()));
  return st->operands[n];
}

void Decoder::expectOperands(size_t least, size_t most) {
  const size_t n = st->operands.size();
  if (n < least || n > most)
    fail(fmt::format("'{}' takes {} operands, found {}", st->text,
                     least == most ? fmt::format("{}", least) : fmt::format("{} to {}", least, most), n));
}

int32_t Decoder::constant(uint64_t bits) {
  auto [found, isNew] = constantSlots.insert({bits, 0});
  if (isNew) {
    found->second = ~int32_t(program.constants.size() / warpLanes);
    program.constants.insert(program.constants.end(), warpLanes, bits);
  }
  return found->second;
}

int32_t Decoder::registerSlot(const Operand &o) {
  return int32_t(program.functions[functionIndex].registerBase + o.index);
}

void Decoder::dest(const Operand &o, unsigned bits, bool mayBeWider) {
  int32_t slot = int32_t(program.sink);
  if (o.kind == Operand::Register && !o.negated) {
    const unsigned own = bitsOf(function->registers[o.index].type);
    if (own != bits && !(mayBeWider && own > bits && own > 1 && bits > 1))
      fail(o, fmt::format("'{}' writes {} bits, register {} has {}", st->text, bits, function->registers[o.index].name,
                          own));
    slot = registerSlot(o);
  } else if (o.kind != Operand::Sink) {
    fail(o, fmt::format("'{}' needs a register to write to", st->text));
  }
  program.slots.push_back(slot);
  ++in.dests;
}

void Decoder::sourceWord(uint64_t bits) {
  program.slots.push_back(constant(bits));
  ++in.sources;
}

void Decoder::source(const Operand &o, Type type, bool mayBeWider) {
  int32_t slot = 0;
  const unsigned bits = bitsOf(type);
  switch (o.kind) {
  case Operand::Register: {
    const unsigned own = bitsOf(function->registers[o.index].type);
    if (own != bits && !(mayBeWider && own > bits && bits > 1))
      fail(o, fmt::format("'{}' reads {} bits, register {} has {}", st->text, bits, function->registers[o.index].name,
                          own));
    if (o.negated)
      fail(o, fmt::format("'{}' takes no negated operand here", st->text));
    slot = registerSlot(o);
    break;
  }
  case Operand::Integer:
    if (isFloat(type) && bits != 16 && !(bits == 32 && type != Type::F32))
      fail(o, fmt::format("an integer where '{}' needs a number of type {}; write it as 0f... or 0d...", st->text,
                          nameOf(type)));
    slot = constant(bits >= 64 ? o.bits : o.bits & ((uint64_t(1) << bits) - 1));
    break;
  case Operand::Float: {
    uint64_t value = o.bits;
    if (type == Type::F32 && o.floatBits == 64)
      value = word(float(as<double>(o.bits)));
    else if (o.floatBits != bits || bits < 32)
      fail(o, fmt::format("a literal of {} bits where '{}' needs {}", o.floatBits, st->text, bits));
    slot = constant(value);
    break;
  }
  case Operand::Name:
    if (const auto symbol = program.symbols.find(o.name); symbol != program.symbols.end() && o.name[0] != '%')
      slot = constant((symbol->second + uint64_t(o.offset)) & (bits >= 64 ? ~uint64_t(0) : (uint64_t(1) << bits) - 1));
    else
      slot = special(o);
    break;
  default:
    fail(o, fmt::format("'{}' needs a register or a number here", st->text));
  }
  program.slots.push_back(slot);
  ++in.sources;
}

void Decoder::simple(Type type, unsigned sources) {
  expectOperands(sources + 1, sources + 1);
  dest(operand(0), bitsOf(type));
  for (unsigned n = 1; n <= sources; ++n)
    source(operand(n), type);
}

void Decoder::address(const Operand &o, Space space) {
  if (o.kind != Operand::Address)
    fail(o, fmt::format("'{}' needs an address in [ ]", st->text));
  in.space = space;
  in.offset = o.offset;
  if (o.elements.empty()) {
    program.slots.push_back(constant(0));
  } else if (const Operand &base = o.elements[0]; base.kind == Operand::Register) {
    const unsigned own = bitsOf(function->registers[base.index].type);
    if (own != 64 && own != 32)
      fail(base, "an address register has 32 or 64 bits");
    program.slots.push_back(registerSlot(base));
  } else {
    const auto symbol = program.symbols.find(base.name);
    if (symbol == program.symbols.end())
      fail(base, fmt::format("'{}' is neither a register nor a variable", base.name));
    const Space own = program.symbolSpaces[base.name];
    if (space == Space::Param && own == Space::Local) // parameters of functions live in the thread's own memory
      in.space = Space::Local;
    else if (space != own)
      fail(base, fmt::format("'{}' is a .{} variable, '{}' accesses {} memory", base.name, nameOf(own), st->text,
                             nameOf(space)));
    program.slots.push_back(constant(symbol->second));
  }
  ++in.sources;
}

uint64_t Decoder::integer(const Operand &o, const char *what) {
  if (o.kind != Operand::Integer)
    fail(o, fmt::format("{} of '{}' must be a number", what, st->text));
  return o.bits;
}

std::vector<const Operand *> Decoder::elements(const Operand &o) const {
  std::vector<const Operand *> result;
  if (o.kind == Operand::Vector)
    for (const Operand &e : o.elements)
      result.push_back(&e);
  else
    result.push_back(&o);
  return result;
}

int32_t Decoder::special(const Operand &o) {
  static const std::map<std::string, Special> names = [] {
    std::map<std::string, Special> m;
    const std::pair<const char *, Special> triples[] = {{"%tid", Special::TidX},
                                                        {"%ntid", Special::NtidX},
                                                        {"%ctaid", Special::CtaidX},
                                                        {"%nctaid", Special::NctaidX},
                                                        {"%clusterid", Special::ClusterIdX},
                                                        {"%nclusterid", Special::NClusterIdX},
                                                        {"%cluster_ctaid", Special::ClusterCtaIdX},
                                                        {"%cluster_nctaid", Special::ClusterNCtaIdX}};
    for (auto [name, first] : triples)
      for (int axis = 0; axis < 3; ++axis)
        m[fmt::format("{}.{}", name, "xyz"[axis])] = Special(int(first) + axis);
    const std::pair<const char *, Special> singles[] = {{"%laneid", Special::LaneId},
                                                        {"%warpid", Special::WarpId},
                                                        {"%nwarpid", Special::NWarpId},
                                                        {"%smid", Special::SmId},
                                                        {"%nsmid", Special::NSmId},
                                                        {"%gridid", Special::GridId},
                                                        {"%lanemask_eq", Special::LanemaskEq},
                                                        {"%lanemask_le", Special::LanemaskLe},
                                                        {"%lanemask_lt", Special::LanemaskLt},
                                                        {"%lanemask_ge", Special::LanemaskGe},
                                                        {"%lanemask_gt", Special::LanemaskGt},
                                                        {"%dynamic_smem_size", Special::DynamicSharedSize},
                                                        {"%total_smem_size", Special::TotalSharedSize},
                                                        {"%cluster_ctarank", Special::ClusterCtaRank},
                                                        {"%cluster_nctarank", Special::ClusterNCtaRank}};
    m.insert(std::begin(singles), std::end(singles));
    return m;
  }();
  const auto found = names.find(o.name);
  if (found == names.end())
    fail(o, o.name[0] == '%' ? fmt::format("the special register {} is not simulated here", o.name)
                             : fmt::format("'{}' is not declared", o.name));
  for (auto [special, slot] : program.specials)
    if (special == found->second)
      return int32_t(slot);
  // Slots of special registers are numbered from the top down here and moved behind the registers at the end.
  program.specials.push_back({found->second, (1u << 30) + uint32_t(program.specials.size())});
  return int32_t(program.specials.back().second);
}

void Decoder::set(Exec run, AluFn alu) {
  if (run == execAlu && !alu)
    failUnknown();
  in.run = run;
  in.alu = alu;
}

void Decoder::fail(const std::string &message) const { throw Error(st->place, message); }
void Decoder::fail(const Operand &o, const std::string &message) const {
  throw Error(o.place.line ? o.place : st->place, message);
}
void Decoder::failUnknown() const { fail(fmt::format("the instruction '{}' is not simulated", st->text)); }

void Decoder::statement(const Statement &s, uint32_t registerBase) {
  st = &s;
  in = Instr();
  mods.assign(s.modifiers.begin(), s.modifiers.end());
  in.line = s.place.line;
  in.slots = uint32_t(program.slots.size());
  in.info.seed = seed;
  if (s.guard >= 0) {
    in.guard = int32_t(registerBase) + s.guard;
    in.guardNot = s.guardNegated;
  }
  auto [kind, isNew] = kindIndex.insert({s.text, uint32_t(program.kinds.size())});
  if (isNew)
    program.kinds.push_back(s.text);
  in.kind = kind->second;
  const Family family = familyOf(s.root);
  if (!family)
    failUnknown();
  family(*this);
  if (!mods.empty())
    fail(fmt::format("the instruction '{}' is not simulated: nothing is known of '.{}' there", s.text, mods.front()));
  if (!in.run)
    failUnknown();
  program.code.push_back(in);
}

uint32_t Decoder::functionNamed(const Operand &o) {
  const Function *callee = o.kind == Operand::Name ? program.module->findFunction(o.name) : nullptr;
  if (!callee || callee->entry)
    fail(o, fmt::format(
                "'{}' is no function of this module; indirect calls and vprintf, malloc and the like are not simulated",
                o.name));
  if (callee->statements.empty())
    fail(o, fmt::format("'{}' is declared but has no body", o.name));
  for (uint32_t i = 0; i < program.functions.size(); ++i)
    if (program.functions[i].function == callee)
      return i;
  const uint32_t index = uint32_t(program.functions.size());
  program.functions.push_back({callee, 0, 0, {}, {}});
  layOut(*callee, index);
  pendingFunctions.push_back(index);
  return index;
}

static uint64_t alignUp(uint64_t value, uint64_t align) { return (value + align - 1) / align * align; }

void Decoder::layOut(const Function &f, uint32_t index) {
  FunctionCode &code = program.functions[index];
  code.registerBase = program.registerCount;
  program.registerCount += uint32_t(f.registers.size());
  for (auto &r : f.registers)
    program.registerNames.push_back(r.name);
  const auto inFrame = [&](const Variable &v) {
    program.localBytes = alignUp(program.localBytes, v.align);
    program.symbols[v.name] = program.localBytes;
    program.symbolSpaces[v.name] = Space::Local;
    program.localBytes += v.bytes;
    return program.symbols[v.name];
  };
  for (auto &v : f.params) {
    if (f.entry) {
      program.paramBytes = alignUp(program.paramBytes, v.align);
      program.paramOffsets.push_back(program.paramBytes);
      program.symbols[v.name] = program.paramBytes;
      program.symbolSpaces[v.name] = Space::Param;
      program.paramBytes += v.bytes;
    } else {
      code.paramAddresses.push_back(inFrame(v));
    }
  }
  for (auto &v : f.returns)
    code.returnAddresses.push_back(inFrame(v));
  for (auto &v : f.locals) {
    if (v.space != Space::Shared) {
      inFrame(v);
      continue;
    }
    if (v.bytes) {
      program.sharedStatic = alignUp(program.sharedStatic, v.align);
      program.symbols[v.name] = program.sharedStatic;
      program.symbolSpaces[v.name] = Space::Shared;
      program.sharedStatic += v.bytes;
    }
  }
}

void Decoder::decodeBody(uint32_t index) {
  const Function &f = *program.functions[index].function;
  function = &f;
  functionIndex = index;
  const uint32_t start = program.functions[index].start = uint32_t(program.code.size());
  for (const Statement &s : f.statements)
    statement(s, program.functions[index].registerBase);
  for (uint32_t i = start; i < program.code.size(); ++i) // branches were decoded with targets relative to the body
    if (program.code[i].flags & 0x80)
      program.code[i].target += start;
}

void Decoder::decodeFunctions(const Module &module, const Function &kernel) {
  program.sink = (1u << 30) - 1;
  program.functions.push_back({&kernel, 0, 0, {}, {}});
  for (auto &v : module.variables)
    if (v.space == Space::Shared && v.bytes) {
      program.sharedStatic = alignUp(program.sharedStatic, v.align);
      program.symbols[v.name] = program.sharedStatic;
      program.sharedStatic += v.bytes;
    }
  for (auto &v : module.variables)
    program.symbolSpaces[v.name] = v.space;
  layOut(kernel, 0);
  // What functions and the module put into shared memory is known only after all bodies: extern arrays get a symbol now
  // and their place is fixed by aligning the static part, which functions (rare) may not extend.
  program.sharedStatic = alignUp(program.sharedStatic, 16);
  uint64_t dynamicAlign = 16;
  for (auto &v : module.variables)
    if (v.space == Space::Shared && !v.bytes)
      dynamicAlign = std::max<uint64_t>(dynamicAlign, v.align);
  for (auto &v : kernel.locals)
    if (v.space == Space::Shared && !v.bytes)
      dynamicAlign = std::max<uint64_t>(dynamicAlign, v.align);
  const uint64_t dynamic = program.sharedStatic = alignUp(program.sharedStatic, dynamicAlign);
  const auto place = [&](const std::vector<Variable> &list) {
    for (auto &v : list)
      if (v.space == Space::Shared && !v.bytes) {
        program.symbols[v.name] = dynamic;
        program.symbolSpaces[v.name] = Space::Shared;
      }
  };
  place(module.variables);
  place(kernel.locals);
  decodeBody(0);
  while (!pendingFunctions.empty()) {
    const uint32_t index = pendingFunctions.back();
    pendingFunctions.pop_back();
    decodeBody(index);
  }
  if (program.sharedStatic != dynamic)
    throw Error(kernel.place,
                "shared variables in called functions are not simulated; declare them in the module or the kernel");
  const uint32_t specialBase = program.registerCount, sink = specialBase + uint32_t(program.specials.size());
  for (int32_t &slot : program.slots) {
    if (slot >= 1 << 30)
      slot = slot - (1 << 30) + int32_t(specialBase);
    else if (slot == int32_t(program.sink))
      slot = int32_t(sink);
  }
  for (auto &[special, slot] : program.specials) {
    slot = slot - (1u << 30) + specialBase;
    program.registerNames.push_back("a special register");
  }
  program.registerNames.push_back("_");
  program.sink = sink;
  program.registerCount = sink + 1;
}

Program attn::sim::decode(const Module &module, const Function &kernel, std::map<std::string, uint64_t> symbols,
                          uint64_t seed) {
  Program program;
  program.module = &module;
  program.kernel = &kernel;
  program.symbols = std::move(symbols);
  Decoder(program, seed).decodeFunctions(module, kernel);
  return program;
}
