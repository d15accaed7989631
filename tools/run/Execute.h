// Calling a compiled kernel: workspace, pool, status.
#ifndef ATTN_TOOLS_RUN_EXECUTE_H
#define ATTN_TOOLS_RUN_EXECUTE_H

#include "Problem.h"
#include "Simulate.h"

#include "attn/Compiler/Compiler.h"

namespace attn::run {

/// A kernel with everything one call of it needs. Not movable: the call points into it.
class Execution {
public:
  /// Compiles, finds the variant, allocates the workspace, starts the threads.
  static llvm::Expected<std::unique_ptr<Execution>> create(const Program &program, const Problem &problem,
                                                           const Options &options);
  ~Execution();
  Execution(const Execution &) = delete;
  Execution &operator=(const Execution &) = delete;

  /// Tasks are run by this from now on, in the place of the pool: to time them one by one.
  void runTasksBy(attn_parallel_for_fn fn, void *pool) {
    call.parallel_for = fn;
    call.pool = pool;
  }
  /// One call. Bad indices are no error here: see badIndex().
  llvm::Error run();
  /// What the last call said about captured loads out of bounds; empty if there were none.
  const std::string &badIndex() const { return badIndexText; }

  /// Of a kernel for GPUs, which runs in the simulator; null: it runs on this CPU.
  const Simulation *simulation() const { return simulated.get(); }
  const Kernel &kernel() const { return compiled; }
  const attn_stats &stats() const { return counters; }
  uint64_t workspaceBytes() const { return call.workspace_bytes; }
  attn_pool *pool() const { return threads; }
  int workers() const { return call.workers; }
  std::string variantName() const;
  /// For every variant: "name: always" or "name: guard holds" or "name: guard does not hold".
  std::vector<std::string> variantReasons() const;
  std::vector<std::string> variantNames() const;

private:
  Execution(Kernel kernel, const Problem &problem) : compiled(std::move(kernel)), problem(problem) {}
  llvm::Error chooseVariant(const Options &options);
  llvm::Error describe(attn_status status) const;
  llvm::Error describeFact() const;

  Kernel compiled;
  const Problem &problem;
  std::vector<attn_tensor> args;
  std::vector<attn_scalar> params;
  Buffer workspace;
  std::unique_ptr<Simulation> simulated;
  attn_pool *threads = nullptr;
  attn_stats counters{};
  attn_error error{};
  attn_call call{};
  std::string badIndexText;
};

} // namespace attn::run

#endif
