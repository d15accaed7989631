#include "attn/Layout/SharedRows.h"

#include <algorithm>

using namespace attn::layout;

constexpr int64_t kBanks = 32, kBankBytes = 4;

/// Lanes that are served together.
static int64_t together(int64_t bytes) { return std::min<int64_t>(kLanes, kBanks * kBankBytes / bytes); }

int64_t attn::layout::wavefronts(const std::vector<int64_t> &offsets, int64_t bytes) {
  const int64_t group = together(bytes);
  int64_t sum = 0;
  for (size_t first = 0; first < offsets.size(); first += size_t(group)) {
    std::vector<int64_t> words;
    for (size_t n = first; n < std::min(offsets.size(), first + size_t(group)); ++n)
      for (int64_t word = 0; word < bytes / kBankBytes; ++word)
        words.push_back(offsets[n] / kBankBytes + word);
    std::sort(words.begin(), words.end());
    words.erase(std::unique(words.begin(), words.end()), words.end());
    std::vector<int64_t> banks(kBanks);
    for (int64_t word : words)
      ++banks[size_t(word % kBanks)];
    sum += *std::max_element(banks.begin(), banks.end());
  }
  return sum;
}

int64_t attn::layout::leastWavefronts(int64_t lanes, int64_t bytes) {
  return (lanes + together(bytes) - 1) / together(bytes);
}
