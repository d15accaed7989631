// The table of costs.
#include "attn/Machine/Costs.h"

using namespace attn;

namespace {

// x86-64-v3 on Zen 3. The others were estimates before they met a Xeon with 480 MiB of L3, and were left as they are:
// what they predict of twelve calls there is 0.86 to 1.09 of what was measured, on tiles 0.94 to 1.06.
constexpr X86Costs measured[] = {
    {.machine = "x86-64-v3",
     .fmaPerCycle = 2,
     .product = 0.985,
     .tileProduct = 0,
     .op = 0.3,
     .access = 0.5,
     .divide = 5,
     .squareRoot = 7,
     .gatherLane = 1.5,
     .scalarLane = 4,
     .exp2Ops = 13,
     .expOps = 15,
     .logOps = 22,
     .tanhOps = 27,
     .otherOps = 24,
     .randomOps = 70,
     .tile = 6,
     .strip = 60,
     .block = 150,
     .questions = 4,
     .row = 40,
     .packedVector = 3,
     .rowVector = 3,
     .placeProduct = 0.8,
     .acrossLanes = 7,
     .stateVector = 6,
     .task = 150,
     .phase = 400,
     .call = 800,
     .panelBytes = 30,
     .unhidden = 0.55},
    {.machine = "x86-64-v4",
     .fmaPerCycle = 2,
     .product = 0.985,
     .tileProduct = 0,
     .op = 0.4,
     .access = 0.5,
     .divide = 10,
     .squareRoot = 14,
     .gatherLane = 1.5,
     .scalarLane = 4,
     .exp2Ops = 9,
     .expOps = 12,
     .logOps = 22,
     .tanhOps = 27,
     .otherOps = 24,
     .randomOps = 70,
     .tile = 6,
     .strip = 60,
     .block = 150,
     .questions = 4,
     .row = 40,
     .packedVector = 4,
     .rowVector = 3,
     .placeProduct = 0.8,
     .acrossLanes = 9,
     .stateVector = 6,
     .task = 150,
     .phase = 400,
     .call = 800,
     .panelBytes = 30,
     .unhidden = 0.55},
};

// A tile of 16 x 16 sums and 32 features takes 16 cycles; two thirds of that is what loads and the vectors between
// products leave. The rest is AVX-512's.
constexpr X86Costs ofTiles = [] {
  X86Costs c = measured[1];
  c.machine = "x86-64-v4-amx", c.tileProduct = 350;
  return c;
}();

} // namespace

const X86Costs *attn::lookupX86Costs(std::string_view machine) {
  if (machine == ofTiles.machine)
    return &ofTiles;
  for (const X86Costs &c : measured)
    if (machine == c.machine)
      return &c;
  // With dot products of 16-bit numbers on vectors nobody has measured it: what those do not use is as here.
  return machine.substr(0, 9) == "x86-64-v4" ? &measured[1] : nullptr;
}
