// The names of --target: levels of x86-64, several of them for one object, or that of this CPU; or GPUs.
#include "Program.h"

#include <cstdlib>

using namespace llvm;
using namespace attn;

const X86Machine *attn::nativeMachine() {
  const X86Machine *best = nullptr;
  for (const X86Machine *machine : x86Machines()) {
    attn_kernel_info none = {}, own = {};
    none.abi_version = own.abi_version = ATTN_RT_ABI_VERSION;
    none.size = own.size = sizeof(attn_kernel_info);
    own.isa = machine->level;
    none.higher = &own;
    if (attn_rt_level(&none) == &own)
      best = machine;
  }
  return best;
}

StringRef attn::nativeTarget() {
  const X86Machine *machine = nativeMachine();
  return machine ? machine->name : "";
}

std::string attn::defaultTarget() {
  const char *named = std::getenv("ATTN_TARGET");
  return named && *named ? named : "native";
}

static Error unsupported(const Twine &message) {
  return compileError(CompileFailure::Unsupported, "error: [unsupported_target] " + message);
}

static Expected<const X86Machine *> parseCpu(StringRef name) {
  const X86Machine *machine = name == "native" ? nativeMachine() : lookupX86Machine(name.str());
  if (name == "native" && !machine)
    return unsupported("this CPU has none of " + x86MachineNames());
  if (!machine)
    return unsupported("no target '" + name + "'; there is: " + x86MachineNames() + ", native; for GPUs " +
                       nvidiaMachineNames());
  return machine;
}

static Expected<const NvidiaMachine *> parseGpu(StringRef name) {
  if (const NvidiaMachine *machine = lookupNvidiaMachine(name.str()))
    return machine;
  return unsupported("no target '" + name + "'; there is for GPUs: " + nvidiaMachineNames());
}

Expected<Targets> attn::parseTargets(StringRef names) {
  Targets targets;
  SmallVector<StringRef> list;
  names.split(list, ',');
  for (StringRef name : list) {
    if (name.starts_with("sm_")) {
      auto machine = parseGpu(name);
      if (!machine)
        return machine.takeError();
      targets.gpus.push_back(*machine);
    } else {
      auto machine = parseCpu(name);
      if (!machine)
        return machine.takeError();
      targets.cpus.push_back(*machine);
    }
  }
  if (!targets.cpus.empty() && !targets.gpus.empty())
    return unsupported("one object is for CPUs or for GPUs; make two, one with --target=" +
                       Twine(targets.cpus.front()->name) + ", one with --target=" + targets.gpus.front()->name +
                       ": their symbols differ, so that both link into one program");
  // From the lowest: the runtime goes up from there, and PTX of the lowest runs on all.
  llvm::sort(targets.cpus, [](auto *a, auto *b) { return a->level < b->level; });
  llvm::sort(targets.gpus, [](auto *a, auto *b) { return a->sm < b->sm; });
  for (auto [a, b] : zip(targets.cpus, drop_begin(targets.cpus)))
    if (a->level == b->level)
      return compileError(CompileFailure::BadInput, "error: [input_targets] '" + Twine(a->name) + "' and '" + b->name +
                                                        "' are the same level, of which an object has one");
  for (auto [a, b] : zip(targets.gpus, drop_begin(targets.gpus)))
    if (a == b)
      return compileError(CompileFailure::BadInput, "error: [input_targets] '" + Twine(a->name) + "' is named twice");
  return targets;
}
