// One pass over the rows, and who takes part in it.
#include "Explain.h"

#include <fmt/format.h>

#include <chrono>
#include <numeric>

using namespace attn;
using namespace attn::run;

namespace {

constexpr double mostSeconds = 3; // for the rows, and again for the graph

using Clock = std::chrono::steady_clock;
double since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

/// Counts pairs by block; rows in any order.
class MapBuilder {
public:
  static constexpr int64_t mostBlocks = 1 << 22;

  /// None if there would be too many blocks.
  static std::optional<MapBuilder> create(int64_t queries, int64_t keys, int64_t blockRows, int64_t blockKeys) {
    BlockMap m;
    m.blockRows = blockRows;
    m.blockKeys = blockKeys;
    m.rows = (queries - 1) / blockRows + 1;
    m.keys = (keys - 1) / blockKeys + 1;
    if (m.rows > mostBlocks / m.keys)
      return std::nullopt;
    return MapBuilder(std::move(m), queries, keys);
  }

  void addRow(int64_t i, const Ranges &row) {
    for (auto [lo, hi] : row)
      for (int64_t b = lo / m.blockKeys; b * m.blockKeys < hi; ++b)
        pairs[size_t(i / m.blockRows * m.keys + b)] +=
            std::min(hi, (b + 1) * m.blockKeys) - std::max(lo, b * m.blockKeys);
  }

  BlockMap finish() {
    for (int64_t r = 0; r < m.rows; ++r)
      for (int64_t k = 0; k < m.keys; ++k) {
        const int64_t area = (std::min(queries, (r + 1) * m.blockRows) - r * m.blockRows) *
                             (std::min(keys, (k + 1) * m.blockKeys) - k * m.blockKeys);
        const int64_t seen = pairs[size_t(r * m.keys + k)];
        const char c = seen == 0 ? '.' : seen == area ? '#' : '+';
        ++(c == '.' ? m.skipped : c == '#' ? m.full : m.partial);
        m.cells.push_back(c);
      }
    return std::move(m);
  }

private:
  MapBuilder(BlockMap m, int64_t queries, int64_t keys)
      : m(std::move(m)), queries(queries), keys(keys), pairs(size_t(this->m.rows * this->m.keys), 0) {}
  BlockMap m;
  int64_t queries, keys;
  std::vector<int64_t> pairs;
};

} // namespace

Survey attn::run::surveyRows(Visibility &visibility, const Problem &problem, const SurveyRequest &request) {
  const int64_t queries = problem.queries(), keys = problem.keys();
  Survey s;
  s.of = queries;
  std::optional<MapBuilder> map;
  std::optional<MaskGraph> graph;
  if (request.map && !(map = MapBuilder::create(queries, keys, request.blockRows, request.blockKeys)))
    s.noMap = fmt::format("there are more than {} blocks", MapBuilder::mostBlocks);
  if (request.graph && queries == keys)
    graph.emplace(keys, MaskGraph::blockFor(keys));
  else if (request.graph)
    s.noGraph = "queries and keys are not the same tokens, so there is no reaching from layer to layer";
  s.picture.emplace(request.name, queries, keys, request.blockRows, request.blockKeys);

  // A row of every row of squares, then another of each, in steps by about the golden ratio: wherever time is up, what
  // was seen of a square is spread over it.
  const int64_t side = s.picture->side;
  int64_t step = std::max<int64_t>(1, int64_t(double(side) * 0.6180339887));
  while (std::gcd(step, side) != 1)
    ++step;
  const std::vector<int64_t> batch(problem.numBatch, 0);
  std::vector<int64_t> change(size_t(keys) + 1, 0); // ranges that begin less ranges that end
  const auto start = Clock::now();
  bool late = false;
  for (int64_t n = 0, at = 0; n < side && !late; ++n, at = (at + step) % side)
    for (int64_t i = at; i < queries; i += side) {
      if ((late = since(start) > mostSeconds) && (n > 0 || !request.picture))
        break;
      const Ranges row = visibility.row(batch, i);
      ++s.rows;
      s.emptyRows += row.empty();
      for (auto [lo, hi] : row) {
        ++change[size_t(lo)];
        --change[size_t(hi)];
      }
      if (map)
        map->addRow(i, row);
      if (graph)
        graph->addRow(i, row);
      s.picture->addRow(i, row);
    }
  s.visible = s.picture->seen();
  if (!request.picture)
    s.picture.reset();
  if (!s.complete()) {
    const std::string why =
        fmt::format("the set takes longer than {} seconds to look at; choose smaller --size", mostSeconds);
    s.noMap = map ? why : s.noMap;
    s.noGraph = graph ? why : s.noGraph;
    return s;
  }
  s.unseenKeys = 0;
  int64_t seen = 0;
  for (int64_t j = 0; j < keys; ++j)
    *s.unseenKeys += (seen += change[size_t(j)]) == 0;
  if (map)
    s.map = map->finish();
  if (graph)
    s.graph = graph->analyse(mostSeconds);
  return s;
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
