// The machine's limits as plain C functions, for bench/compare: the loops that attn-run and bench/bandwidth measure
// with.
#include "../tools/run/PeakLoop.h"
#include "../tools/run/ReadLoop.h"

extern "C" int64_t attn_peak_flops() { return attn::run::peakLoopFlops(false); }
extern "C" double attn_peak_loop(int64_t iterations) { return attn::run::runPeakLoop(false, iterations); }
extern "C" uint64_t attn_read_lines(const char *from, int64_t bytes) { return attn::run::readLines(from, bytes); }
