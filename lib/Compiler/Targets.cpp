// The names of --target: levels of x86-64, several of them for one object, or that of this CPU.
#include "Program.h"

using namespace llvm;
using namespace attn;

/// The highest level that the runtime would run here, of those that code is generated for.
static const X86Machine *nativeMachine() {
  const X86Machine *best = nullptr;
  for (int level = ATTN_ISA_X86_64_V2; level <= ATTN_ISA_X86_64_V4; ++level) {
    attn_kernel_info none = {}, own = {};
    none.abi_version = own.abi_version = ATTN_RT_ABI_VERSION;
    none.size = own.size = sizeof(attn_kernel_info);
    own.isa = level;
    none.higher = &own;
    const X86Machine *machine = lookupX86Machine("x86-64-v" + std::to_string(level));
    if (machine && machine->supported && attn_rt_level(&none) == &own)
      best = machine;
  }
  return best;
}

Expected<std::vector<const X86Machine *>> attn::parseTargets(StringRef names) {
  auto unsupported = [](const Twine &message) {
    return compileError(CompileFailure::Unsupported, "error: [unsupported_target] " + message);
  };
  std::vector<const X86Machine *> machines;
  SmallVector<StringRef> list;
  names.split(list, ',');
  for (StringRef name : list) {
    const X86Machine *machine = name == "native" ? nativeMachine() : lookupX86Machine(name.str());
    if (name == "native" && !machine)
      return unsupported("this CPU has none of " + supportedX86MachineNames());
    if (!machine || !machine->supported)
      return unsupported(Twine(machine ? "no code generation yet for" : "no target") + " '" + name +
                         "'; there is: " + supportedX86MachineNames() + ", native");
    machines.push_back(machine);
  }
  // From the lowest: the runtime goes up from there.
  llvm::sort(machines, [](auto *a, auto *b) { return a->level < b->level; });
  for (auto [a, b] : zip(machines, drop_begin(machines)))
    if (a->level == b->level)
      return compileError(CompileFailure::BadInput, "error: [input_targets] '" + Twine(a->name) + "' and '" + b->name +
                                                        "' are the same level, of which an object has one");
  return machines;
}
