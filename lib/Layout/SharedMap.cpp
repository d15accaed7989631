#include "attn/Layout/SharedMap.h"

#include <algorithm>
#include <numeric>

using namespace attn::layout;

SharedMap::SharedMap(const SharedRows &rowsQ, int64_t planesQ, const SharedRows &rowsK, int64_t planesK,
                     const SharedRows &rowsV, int64_t planesV, int64_t stages) {
  q = {rowsQ, planesQ, 1, 0, 0};
  k = {rowsK, planesK, stages, q.bytes(), 0};
  v = {rowsV, planesV, stages, k.first + k.bytes(), 0};
  k.stageBytes = v.stageBytes = k.bytes() + v.bytes();
  weights = k.first + stages * k.stageBytes;
  queryAbsent = weights + rowsQ.rows * rowsK.rows * 4;
  keyAbsent = queryAbsent + rowsQ.rows * absentBytes;
  flags = keyAbsent + rowsK.rows * absentBytes;
  number = flags + flagBytes;
  bytes = number + 4;
}

std::vector<Region> attn::layout::regionsOf(const std::string &name, const SharedOperand &operand) {
  std::vector<Region> all;
  for (int64_t stage = 0; stage < operand.stages; ++stage) {
    int64_t begin = operand.first + stage * operand.stageBytes;
    all.push_back(
        {operand.stages > 1 ? name + " of stage " + std::to_string(stage) : name, begin, begin + operand.bytes()});
  }
  return all;
}

std::vector<Region> SharedMap::regions() const {
  std::vector<Region> all;
  for (auto &[name, operand] : {std::pair{"queries", &q}, {"keys", &k}, {"values", &v}})
    for (Region &region : regionsOf(name, *operand))
      all.push_back(region);
  all.push_back({"weights", weights, queryAbsent});
  all.push_back({"absent queries", queryAbsent, keyAbsent});
  all.push_back({"absent keys", keyAbsent, flags});
  all.push_back({"flags", flags, number});
  all.push_back({"number", number, bytes});
  return all;
}

std::optional<std::pair<size_t, size_t>> attn::layout::firstOverlap(const std::vector<Region> &regions) {
  std::vector<size_t> order(regions.size());
  std::iota(order.begin(), order.end(), size_t(0));
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return regions[a].begin < regions[b].begin; });
  for (size_t n = 1; n < order.size(); ++n)
    if (regions[order[n]].begin < regions[order[n - 1]].end)
      return std::minmax(order[n - 1], order[n]);
  return std::nullopt;
}
