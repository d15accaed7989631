// perf_event_open: cycles:u, inherited by new threads.
#include "Cycles.h"

#include <cstring>
#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>

using namespace attn::run;

CycleCounter::CycleCounter() {
  perf_event_attr attr;
  std::memset(&attr, 0, sizeof attr);
  attr.type = PERF_TYPE_HARDWARE;
  attr.size = sizeof attr;
  attr.config = PERF_COUNT_HW_CPU_CYCLES;
  attr.exclude_kernel = 1;
  attr.exclude_hv = 1;
  attr.inherit = 1; // a read adds up the children's counts
  attr.read_format = PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING;
  fd = int(
      syscall(SYS_perf_event_open, &attr, /*this thread*/ 0, /*any cpu*/ -1, /*no group*/ -1, PERF_FLAG_FD_CLOEXEC));
}

CycleCounter::~CycleCounter() {
  if (fd >= 0)
    ::close(fd);
}

std::optional<uint64_t> CycleCounter::read() const {
  uint64_t value[3]; // count, time enabled, time running
  if (fd < 0 || ::read(fd, value, sizeof value) != ssize_t(sizeof value))
    return std::nullopt;
  if (value[1] != value[2] || !value[0])
    return std::nullopt;
  return value[0];
}
