// Clocks.
#include "Races.h"

#include <algorithm>

using namespace attn::sim;

void CtaClock::settle() {
  warpLeast.assign((threads.size() + warpLanes - 1) / warpLanes, ~uint32_t(0));
  for (size_t t = 0; t < threads.size(); ++t)
    warpLeast[t / warpLanes] = std::min(warpLeast[t / warpLanes], threads[t]);
}

const CtaClock *Clock::part(uint32_t cta) const {
  if (parts.size() == 1)
    return parts[0].first == cta ? parts[0].second.get() : nullptr;
  auto found = std::lower_bound(parts.begin(), parts.end(), cta, [](auto &p, uint32_t c) { return p.first < c; });
  return found != parts.end() && found->first == cta ? found->second.get() : nullptr;
}

ClockRef attn::sim::joined(const ClockRef &a, const ClockRef &b) {
  if (!a || a == b)
    return b;
  if (!b)
    return a;
  auto result = std::make_shared<Clock>();
  auto left = a->parts.begin(), right = b->parts.begin();
  while (left != a->parts.end() || right != b->parts.end()) {
    if (right == b->parts.end() || (left != a->parts.end() && left->first < right->first)) {
      result->parts.push_back(*left++);
    } else if (left == a->parts.end() || right->first < left->first) {
      result->parts.push_back(*right++);
    } else {
      if (left->second == right->second) {
        result->parts.push_back(*left);
      } else {
        auto both = std::make_shared<CtaClock>(*left->second);
        for (size_t t = 0; t < both->threads.size(); ++t)
          both->threads[t] = std::max(both->threads[t], right->second->threads[t]);
        both->settle();
        result->parts.push_back({left->first, std::move(both)});
      }
      ++left, ++right;
    }
  }
  return result;
}
