// Facts about NVIDIA GPUs, one row a target name. The names are those that `--target` takes.
//
// Sizes are what every GPU of that architecture has; the number of multiprocessors is that of its largest common one,
// for a schedule made without a GPU to ask.
#ifndef ATTN_MACHINE_NVIDIA_H
#define ATTN_MACHINE_NVIDIA_H

#include <cstdint>
#include <string>
#include <string_view>

namespace attn {

struct NvidiaMachine {
  const char *name; // also LLVM's and ptxas's
  int sm;           // 10 times the compute capability, also attn_gpu_image.sm
  /// Version of the PTX that is written for it, 10 times: old enough for old drivers, new enough for what is emitted.
  int ptx;
  /// Most dynamic shared memory that a CTA can ask for, and what the CTAs of a multiprocessor share; each resident CTA
  /// costs `sharedPerCtaReserved` more.
  int64_t sharedPerCta, sharedPerMultiprocessor, sharedPerCtaReserved;
  /// 32-bit registers of a multiprocessor, and the most that one thread names.
  int64_t registers, registersPerThread;
  int64_t threadsPerMultiprocessor, ctasPerMultiprocessor, multiprocessors;
};

/// The machine of that name; null if there is none.
const NvidiaMachine *lookupNvidiaMachine(std::string_view name);

/// "sm_80, ...": the names, for messages.
std::string nvidiaMachineNames();

} // namespace attn

#endif
