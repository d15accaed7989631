// Runs a kernel for GPUs without one: the launches that the runtime plans, on the very PTX, in the simulator.
#ifndef ATTN_TOOLS_RUN_SIMULATE_H
#define ATTN_TOOLS_RUN_SIMULATE_H

#include "attn-rt/attn_gpu.h"
#include "attn/Sim/Launch.h"

#include "llvm/Support/Error.h"

namespace attn::run {

/// What the simulator counted over all launches of a call.
struct SimulatedWork {
  int64_t launches = 0, ctas = 0, instructions = 0; // of warps
  int64_t tensorInstructions = 0;                   // mma of these
  int64_t bankConflicts = 0;                        // passes over shared memory beyond those that the bytes need
  int64_t sectors = 0, idealSectors = 0;            // of global memory, 32 bytes
  // Blocks of queries and keys, of all attends: visible as a whole, in part, not visited; sizes of the last launch's.
  // Queries that the rows of a block are of, where heads that share keys are rows of the same.
  int64_t blocksFull = 0, blocksPartial = 0, blocksSkipped = 0, blockRows = 0, blockKeys = 0, blockQueries = 0;
};

class Simulation {
public:
  /// Parses the PTX among the images. Findings say `file` for it.
  static llvm::Expected<std::unique_ptr<Simulation>> create(const attn_gpu_info &info, uint64_t seed);

  /// One call: tensors and workspace are memory of this process. A finding is an error; `status` is the call's.
  llvm::Error run(const attn_call &call, attn_status &status);
  const SimulatedWork &work() const { return counted; }
  /// What findings call the PTX.
  static constexpr const char *ptxName = "kernel.ptx";

private:
  Simulation(const attn_gpu_info &info, uint64_t seed) : info(info), seed(seed) {}
  attn_status launch(const attn_gpu_launch &launch, const attn_call &call);
  void countBlocks(const attn_gpu_launch &launch, int64_t *status);

  const attn_gpu_info &info;
  uint64_t seed;
  sim::Module module;
  SimulatedWork counted;
  std::string trouble;
};

} // namespace attn::run

#endif
