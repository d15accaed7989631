//===- Program.h - A kernel decoded for execution ----------------------------===//
//
// Each statement becomes one Instr: a handler, resolved operands ("slots") and the few facts that handlers of its
// family need. A slot
// >= 0 is a register of the warp (the function's registers, then those of the functions it calls, then special
// registers, then a sink); a slot < 0 is constant ~slot of the program, spread over 32 lanes so that handlers need not
// know the difference.
//
//===----------------------------------------------------------------------===//
#ifndef ATTN_LIB_SIM_PROGRAM_H
#define ATTN_LIB_SIM_PROGRAM_H

#include "Lanes.h"
#include "attn/Sim/Module.h"

namespace attn::sim {

class Machine;
struct Warp;
struct Instr;

enum class Step : uint8_t {
  Next, ///< go on behind the instruction
  Jump, ///< the handler has set where its lanes are
  Wait, ///< the lanes stay at the instruction, in a waiting state that the handler has set
};
using Exec = Step (*)(Machine &, Warp &, const Instr &, uint32_t mask);

/// How strong an access is: weak ones never synchronize; the others only within their scope.
enum class Scope : uint8_t { Weak, Cta, Cluster, Gpu, System };
enum Semantics : uint8_t { Relaxed = 0, Acquire = 1, Release = 2, AcquireRelease = 3, Sequential = 7 };

struct Instr {
  Exec run = nullptr;
  AluFn alu = nullptr;
  AluInfo info;
  int32_t guard = -1;
  bool guardNot = false;
  uint8_t dests = 0, sources = 0;
  Space space = Space::Generic;
  Type type = Type::None, from = Type::None;
  uint8_t count = 1;           ///< elements of a vector, matrices of ldmatrix
  uint8_t bytes = 0;           ///< of one element in memory
  uint8_t mode = 0, flags = 0; ///< the family's own
  Scope scope = Scope::Weak;
  uint8_t semantics = Relaxed;
  uint32_t slots = 0; ///< dests, then sources, in Program::slots
  uint32_t target = 0;
  int64_t offset = 0;          ///< displacement of the address
  int64_t sourceOffset = 0;    ///< cp.async has two
  uint32_t line = 0, kind = 0; ///< kind: Program::kinds
};

enum class Special : uint8_t {
  TidX,
  TidY,
  TidZ,
  NtidX,
  NtidY,
  NtidZ,
  CtaidX,
  CtaidY,
  CtaidZ,
  NctaidX,
  NctaidY,
  NctaidZ,
  LaneId,
  WarpId,
  NWarpId,
  SmId,
  NSmId,
  GridId,
  LanemaskEq,
  LanemaskLe,
  LanemaskLt,
  LanemaskGe,
  LanemaskGt,
  DynamicSharedSize,
  TotalSharedSize,
  ClusterIdX,
  ClusterIdY,
  ClusterIdZ,
  NClusterIdX,
  NClusterIdY,
  NClusterIdZ,
  ClusterCtaIdX,
  ClusterCtaIdY,
  ClusterCtaIdZ,
  ClusterNCtaIdX,
  ClusterNCtaIdY,
  ClusterNCtaIdZ,
  ClusterCtaRank,
  ClusterNCtaRank,
  Zero,
}; // clang-format off would say no more

struct FunctionCode {
  const Function *function = nullptr;
  uint32_t start = 0, registerBase = 0;
  std::vector<uint64_t> paramAddresses, returnAddresses; ///< in local memory
};

struct Program {
  const Module *module = nullptr;
  const Function *kernel = nullptr;
  std::vector<Instr> code;
  std::vector<int32_t> slots;
  std::vector<uint64_t> constants; ///< 32 words each
  std::vector<std::string> kinds;  ///< opcode texts
  std::vector<FunctionCode> functions;
  std::vector<std::string> registerNames;
  std::vector<std::pair<Special, uint32_t>> specials; ///< and the slot that holds it
  uint32_t registerCount = 0, sink = 0;
  uint64_t paramBytes = 0, localBytes = 0, sharedStatic = 0; ///< dynamic shared memory starts at sharedStatic
  std::vector<uint64_t> paramOffsets;
  std::map<std::string, uint64_t> symbols; ///< addresses of variables in their own spaces
  std::map<std::string, Space> symbolSpaces;

  const std::string &kindOf(const Instr &i) const { return kinds[i.kind]; }
};

/// Addresses of the module's .global and .const variables come in `symbols`. Throws Error.
Program decode(const Module &module, const Function &kernel, std::map<std::string, uint64_t> symbols, uint64_t seed);

} // namespace attn::sim

#endif
