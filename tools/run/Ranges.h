// Sorted lists of keys.
#ifndef ATTN_TOOLS_RUN_RANGES_H
#define ATTN_TOOLS_RUN_RANGES_H

#include <cstdint>
#include <utility>
#include <vector>

namespace attn::run {

/// Disjoint, not touching, ascending half-open ranges.
using Ranges = std::vector<std::pair<int64_t, int64_t>>;

} // namespace attn::run

#endif
