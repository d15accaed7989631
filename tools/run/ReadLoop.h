// Reads memory as fast as a plain loop can.
#ifndef ATTN_TOOLS_RUN_READLOOP_H
#define ATTN_TOOLS_RUN_READLOOP_H

#include <cstdint>

namespace attn::run {

/// Whether this CPU and system run AVX2; without, there is no read loop.
bool hasReadLoop();
/// Reads whole lines of 64 bytes, from the first that begins at `from` or behind it up to `bytes`; what is returned
/// depends on all of them.
uint64_t readLines(const char *from, int64_t bytes);

} // namespace attn::run

#endif
