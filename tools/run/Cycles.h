// User cycles of this thread and of the threads it starts, where the system lets us count them.
#ifndef ATTN_TOOLS_RUN_CYCLES_H
#define ATTN_TOOLS_RUN_CYCLES_H

#include <cstdint>
#include <optional>

namespace attn::run {

class CycleCounter {
public:
  /// Make it before the threads that it is to count.
  CycleCounter();
  ~CycleCounter();
  CycleCounter(const CycleCounter &) = delete;
  CycleCounter &operator=(const CycleCounter &) = delete;

  bool available() const { return fd >= 0; }
  /// Cycles so far; none if the counter is not available or had to share the hardware.
  std::optional<uint64_t> read() const;

private:
  int fd = -1;
};

} // namespace attn::run

#endif
