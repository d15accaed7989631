// The machine's limits as plain C functions, for bench/compare: the loops that attn-run and bench/bandwidth measure
// with.
#include "../tools/run/PeakLoop.h"
#include "../tools/run/ReadLoop.h"

#include <algorithm>

using namespace attn::run;

/// The widest vectors of this CPU, or its tiles for bf16 where it has them.
static const PeakLoop &peakLoop(bool bf16) {
  const PeakLoop *tiles = bf16 ? lookupPeakLoop(PeakOf::Bf16Tiles, 64) : nullptr;
  return tiles ? *tiles : *lookupPeakLoop(PeakOf::F32, 64);
}

extern "C" int64_t attn_peak_iterations(bool bf16, int64_t cycles) { return peakLoop(bf16).iterationsIn(cycles); }
extern "C" int64_t attn_peak_flops(bool bf16) { return peakLoop(bf16).flops; }
extern "C" double attn_peak_loop(bool bf16, int64_t iterations) { return peakLoop(bf16).run(iterations); }
/// By pieces, as bench/bandwidth reads: one long read, whose two streams are far apart, is a sixth slower here.
extern "C" uint64_t attn_read_lines(const char *from, int64_t bytes) {
  constexpr int64_t piece = 1 << 20;
  uint64_t found = 0;
  for (int64_t at = 0; at < bytes; at += piece)
    found ^= attn::run::readLines(from + at, std::min(piece, bytes - at));
  return found;
}
