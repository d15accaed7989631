// The map.
#include "Explain.h"

#include <fmt/format.h>

#include <chrono>

using namespace attn;
using namespace attn::run;

std::optional<BlockMap> attn::run::mapBlocks(Visibility &visibility, const Problem &problem, int64_t blockRows,
                                             int64_t blockKeys) {
  constexpr int64_t mostBlocks = 1 << 22;
  constexpr double mostSeconds = 3;
  if (blockRows <= 0 || blockKeys <= 0 || problem.rows() == 0 || problem.keys() == 0)
    return std::nullopt;
  BlockMap m;
  m.blockRows = blockRows;
  m.blockKeys = blockKeys;
  m.rows = (problem.queries() + blockRows - 1) / blockRows;
  m.keys = (problem.keys() + blockKeys - 1) / blockKeys;
  if (m.rows > mostBlocks / m.keys)
    return std::nullopt;
  const std::vector<int64_t> batch(problem.numBatch, 0);
  const auto start = std::chrono::steady_clock::now();
  for (int64_t r = 0; r < m.rows; ++r) {
    const int64_t last = std::min(problem.queries(), (r + 1) * blockRows);
    std::vector<int64_t> pairs(size_t(m.keys), 0);
    for (int64_t i = r * blockRows; i < last; ++i) {
      for (auto [lo, hi] : visibility.row(batch, i))
        for (int64_t b = lo / blockKeys; b * blockKeys < hi; ++b)
          pairs[size_t(b)] += std::min(hi, (b + 1) * blockKeys) - std::max(lo, b * blockKeys);
      if (i % 16 == 0 && std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() > mostSeconds)
        return std::nullopt;
    }
    for (int64_t k = 0; k < m.keys; ++k) {
      const int64_t area = (last - r * blockRows) * (std::min(problem.keys(), (k + 1) * blockKeys) - k * blockKeys);
      const char c = pairs[size_t(k)] == 0 ? '.' : pairs[size_t(k)] == area ? '#' : '+';
      ++(c == '.' ? m.skipped : c == '#' ? m.full : m.partial);
      m.cells.push_back(c);
    }
  }
  return m;
}

std::string attn::run::drawMap(const BlockMap &map) {
  constexpr int64_t mostRows = 32, mostColumns = 64;
  const int64_t high = (map.rows + mostRows - 1) / mostRows, wide = (map.keys + mostColumns - 1) / mostColumns;
  std::string text;
  for (int64_t r = 0; r < map.rows; r += high) {
    text += "  ";
    for (int64_t k = 0; k < map.keys; k += wide) {
      char c = map.at(r, k);
      for (int64_t y = r; y < std::min(map.rows, r + high); ++y)
        for (int64_t x = k; x < std::min(map.keys, k + wide); ++x)
          if (map.at(y, x) != c)
            c = '+';
      text += c;
    }
    text += '\n';
  }
  if (high > 1 || wide > 1)
    text += fmt::format("  (a character stands for {} x {} blocks)\n", high, wide);
  return text;
}
