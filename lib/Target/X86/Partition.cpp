#include "Partition.h"

#include "llvm/ADT/EquivalenceClasses.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/IR/Instructions.h"
#include "llvm/Support/Error.h"

using namespace llvm;
using namespace attn::x86;

/// Below so many instructions another object costs more than its thread saves.
static constexpr unsigned leastInstructions = 300;

/// Calls `act` for every global value that `constant` leads to, itself included.
static void forEachGlobal(const Constant *constant, function_ref<void(const GlobalValue *)> act) {
  if (auto *value = dyn_cast<GlobalValue>(constant))
    return act(value);
  for (const Use &use : constant->operands())
    forEachGlobal(cast<Constant>(use), act);
}

/// Whether each object may have one of its own: nobody can tell.
static bool isCopied(const GlobalValue &value) {
  auto *variable = dyn_cast<GlobalVariable>(&value);
  if (!variable || !variable->hasLocalLinkage() || !variable->isConstant() || !variable->hasInitializer())
    return false;
  bool leadsNowhere = true;
  forEachGlobal(variable->getInitializer(), [&](const GlobalValue *) { leadsNowhere = false; });
  return leadsNowhere;
}

Partition::Partition(const Module &module, unsigned most) {
  EquivalenceClasses<const GlobalValue *> together;
  const GlobalValue *data = nullptr; // variables refer to each other, and there is little of them: one class
  for (const GlobalVariable &variable : module.globals())
    if (!variable.isDeclaration() && !isCopied(variable)) {
      together.insert(&variable);
      data = data ? *together.unionSets(data, &variable) : &variable;
    }
  for (const Function &function : module) {
    if (function.isDeclaration())
      continue;
    together.insert(&function);
    for (const BasicBlock &block : function)
      for (const Instruction &instruction : block)
        for (const Use &use : instruction.operands())
          if (auto *constant = dyn_cast<Constant>(use))
            forEachGlobal(constant, [&](const GlobalValue *value) {
              if (!value->isDeclaration() && !isCopied(*value))
                together.unionSets(&function, value);
            });
  }

  MapVector<const GlobalValue *, unsigned> weights; // of classes, in the module's order
  auto count = [&](const GlobalValue &value, unsigned instructions) {
    if (together.contains(&value))
      weights[together.getLeaderValue(&value)] += instructions;
  };
  for (const GlobalVariable &variable : module.globals())
    count(variable, 0);
  for (const Function &function : module)
    count(function, function.getInstructionCount());

  // The largest first, of equals the first in the module, each to the part that has least.
  std::vector<std::pair<unsigned, unsigned>> order; // instructions, place in `weights`
  for (auto [place, entry] : enumerate(weights))
    order.push_back({entry.second, place});
  sort(order, [](auto &a, auto &b) { return a.first != b.first ? a.first > b.first : a.second < b.second; });
  unsigned large = count_if(order, [](auto &entry) { return entry.first >= leastInstructions; });
  parts = std::max(1u, std::min(most, large));
  SmallVector<unsigned> load(parts, 0);
  DenseMap<const GlobalValue *, unsigned> partOfClass;
  for (auto &[weight, place] : order) {
    unsigned part = min_element(load) - load.begin();
    load[part] += weight;
    partOfClass[weights.begin()[place].first] = part;
  }
  for (const GlobalValue &value : module.global_values())
    if (together.contains(&value))
      partOf[value.getName()] = partOfClass[together.getLeaderValue(&value)];
}

Error Partition::reduce(Module &module, unsigned part) const {
  for (GlobalValue &value : module.global_values()) {
    auto found = partOf.find(value.getName());
    if (found == partOf.end())
      continue;
    bool own = found->second == part, local = value.hasLocalLinkage();
    if (auto *function = dyn_cast<Function>(&value); function && !own)
      function->deleteBody();
    else if (auto *variable = dyn_cast<GlobalVariable>(&value); variable && !own)
      variable->setInitializer(nullptr);
    if (!own || local)
      value.setLinkage(GlobalValue::ExternalLinkage);
    if (local)
      value.setVisibility(GlobalValue::HiddenVisibility);
  }
  return module.materializeAll();
}
