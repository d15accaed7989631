// The machine's limits as plain C functions, for bench/compare: the loops that attn-run and bench/bandwidth measure
// with.
#include "../tools/run/PeakLoop.h"
#include "../tools/run/ReadLoop.h"

#include <algorithm>

extern "C" int64_t attn_peak_flops() { return attn::run::peakLoopFlops(false); }
extern "C" double attn_peak_loop(int64_t iterations) { return attn::run::runPeakLoop(false, iterations); }
/// By pieces, as bench/bandwidth reads: one long read, whose two streams are far apart, is a sixth slower here.
extern "C" uint64_t attn_read_lines(const char *from, int64_t bytes) {
  constexpr int64_t piece = 1 << 20;
  uint64_t found = 0;
  for (int64_t at = 0; at < bytes; at += piece)
    found ^= attn::run::readLines(from + at, std::min(piece, bytes - at));
  return found;
}
