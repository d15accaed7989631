// Bit matrices, components, powers.
#include "Graph.h"

#include <algorithm>
#include <chrono>

using namespace attn::run;

namespace {

using Clock = std::chrono::steady_clock;

struct BitMatrix {
  int64_t n = 0, words = 0;
  std::vector<uint64_t> bits;

  BitMatrix() = default;
  BitMatrix(int64_t n, int64_t words) : n(n), words(words), bits(size_t(n * words), 0) {}
  uint64_t *row(int64_t i) { return bits.data() + i * words; }
  const uint64_t *row(int64_t i) const { return bits.data() + i * words; }
  void set(int64_t i, int64_t j) { row(i)[j / 64] |= uint64_t(1) << (j % 64); }
};

/// Calls f(j) for every set bit of a row.
template <typename F> void forBits(const uint64_t *row, int64_t words, F f) {
  for (int64_t w = 0; w < words; ++w)
    for (uint64_t rest = row[w]; rest; rest &= rest - 1)
      f(w * 64 + __builtin_ctzll(rest));
}

/// Row i of the result: the union of b's rows j over the bits j of a's row i. Nothing if the time is up.
std::optional<BitMatrix> product(const BitMatrix &a, const BitMatrix &b, Clock::time_point deadline) {
  const int64_t n = a.n, words = a.words;
  BitMatrix c(n, words);
  std::vector<uint64_t> unions(size_t(256 * words), 0); // of the rows of b that the bits of the number name
  for (int64_t first = 0; first < n; first += 8) {
    if (first % 64 == 0 && Clock::now() > deadline)
      return std::nullopt;
    for (int64_t k = 0; k < 8; ++k) {
      const uint64_t *add = first + k < n ? b.row(first + k) : nullptr; // a has no bits there
      for (int64_t x = int64_t(1) << k; add && x < int64_t(2) << k; ++x)
        for (int64_t w = 0; w < words; ++w)
          unions[size_t(x * words + w)] = unions[size_t((x - (int64_t(1) << k)) * words + w)] | add[w];
    }
    for (int64_t i = 0; i < n; ++i) {
      const uint64_t which = a.row(i)[first / 64] >> (first % 64) & 255;
      if (!which)
        continue;
      uint64_t *to = c.row(i);
      const uint64_t *from = unions.data() + which * uint64_t(words);
      for (int64_t w = 0; w < words; ++w)
        to[w] |= from[w];
    }
  }
  return c;
}

/// Strongly connected components without recursion. Components are numbered as they are completed.
class Tarjan {
public:
  Tarjan(const BitMatrix &m, const std::vector<int64_t> &weight)
      : component(size_t(m.n), -1), m(m), index(size_t(m.n), -1), low(size_t(m.n), 0) {
    for (int64_t i = 0; i < m.n; ++i)
      if (weight[size_t(i)] > 0 && index[size_t(i)] < 0)
        from(i);
  }
  std::vector<int64_t> component; // by node; -1: left out
  int64_t count = 0;

private:
  struct Visit {
    int64_t node, word;
    uint64_t rest; // bits of `word` still to follow
  };

  void enter(int64_t i) {
    index[size_t(i)] = low[size_t(i)] = next++;
    open.push_back(i);
    path.push_back({i, 0, m.row(i)[0]});
  }

  void from(int64_t start) {
    enter(start);
    while (!path.empty()) {
      Visit &v = path.back();
      if (v.rest) {
        const int64_t j = v.word * 64 + __builtin_ctzll(v.rest);
        v.rest &= v.rest - 1;
        if (index[size_t(j)] < 0)
          enter(j); // v is stale from here
        else if (component[size_t(j)] < 0)
          low[size_t(v.node)] = std::min(low[size_t(v.node)], index[size_t(j)]);
      } else if (++v.word < m.words) {
        v.rest = m.row(v.node)[v.word];
      } else {
        leave(v.node);
      }
    }
  }

  void leave(int64_t i) {
    path.pop_back();
    if (!path.empty()) {
      int64_t &up = low[size_t(path.back().node)];
      up = std::min(up, low[size_t(i)]);
    }
    if (low[size_t(i)] != index[size_t(i)])
      return;
    for (int64_t j = -1; j != i; open.pop_back())
      component[size_t(j = open.back())] = count;
    ++count;
  }

  const BitMatrix &m;
  std::vector<int64_t> index, low, open;
  std::vector<Visit> path;
  int64_t next = 0;
};

class Analysis {
public:
  Analysis(BitMatrix m, std::vector<int64_t> weight, GraphFacts facts, Clock::time_point deadline)
      : facts(std::move(facts)), m(std::move(m)), weight(std::move(weight)), deadline(deadline) {}

  void run() {
    components();
    for (int64_t i = 0; i < m.n; ++i)
      if (weight[size_t(i)])
        m.set(i, i);
    facts.finished = facts.nodes == 0 || (powers() && (!facts.connected() || radius()));
  }
  GraphFacts facts;

private:
  void components() {
    const Tarjan found(m, weight);
    const std::vector<int64_t> &of = found.component;
    std::vector<bool> entered(size_t(found.count), false);
    for (int64_t i = 0; i < m.n; ++i)
      forBits(m.row(i), m.words, [&](int64_t j) {
        entered[size_t(of[size_t(i)])] = entered[size_t(of[size_t(i)])] || of[size_t(j)] != of[size_t(i)];
      });
    facts.components = found.count;
    facts.closed = std::count(entered.begin(), entered.end(), false);
    if (facts.closed != 1)
      return;
    auto isRoot = [&](int64_t i) { return weight[size_t(i)] && !entered[size_t(of[size_t(i)])]; };
    facts.roots = tokensOf(isRoot);
    for (int64_t i = 0; i < m.n; ++i)
      facts.rootSeesItself |= isRoot(i) && (m.row(i)[i / 64] >> (i % 64) & 1);
  }

  /// All powers of two until nothing is new.
  bool powers() {
    power.push_back(m);
    heard(1);
    for (int64_t layers = 2;; layers *= 2) {
      auto next = product(power.back(), power.back(), deadline);
      if (!next)
        return false;
      if (next->bits == power.back().bits)
        return true;
      power.push_back(std::move(*next));
      heard(layers);
    }
  }

  void heard(int64_t layers) {
    Heard h{layers};
    double all = 0;
    for (int64_t w : weight)
      all += double(w);
    for (int64_t i = 0; i < m.n; ++i) {
      double tokens = 0;
      forBits(power.back().row(i), m.words, [&](int64_t j) { tokens += double(weight[size_t(j)]); });
      h.mean += tokens * double(weight[size_t(i)]);
      h.most = std::max(h.most, tokens / all);
    }
    h.mean /= all * all;
    facts.heard.push_back(h);
  }

  /// Bits of the nodes that every node has heard of.
  std::vector<uint64_t> known(const BitMatrix &r) const {
    std::vector<uint64_t> all(size_t(m.words), ~uint64_t(0));
    for (int64_t i = 0; i < m.n; ++i)
      for (int64_t w = 0; weight[size_t(i)] && w < m.words; ++w)
        all[size_t(w)] &= r.row(i)[w];
    return all;
  }
  static bool any(const std::vector<uint64_t> &row) {
    return std::any_of(row.begin(), row.end(), [](uint64_t w) { return w != 0; });
  }

  /// There are roots and all powers.
  bool radius() {
    int64_t layers = 0; // `below` is the matrix of so many layers and nobody is known to all
    const BitMatrix *below = nullptr;
    BitMatrix kept;
    size_t k = 0;
    while (!any(known(power[k])))
      ++k; // the last power has a column of the roots
    if (k > 0) {
      below = &power[k - 1];
      layers = int64_t(1) << (k - 1);
      for (size_t step = k - 1; step-- > 0;) {
        auto next = product(*below, power[step], deadline);
        if (!next)
          return false;
        if (any(known(*next)))
          continue;
        kept = std::move(*next);
        below = &kept;
        layers += int64_t(1) << step;
      }
    }
    facts.radius = facts.nodes == 1 ? 0 : layers + 1;
    std::optional<BitMatrix> last = below ? product(*below, power[0], deadline) : power[0];
    if (!last)
      return false;
    const std::vector<uint64_t> all = known(*last);
    facts.centre = tokensOf([&](int64_t i) { return all[size_t(i / 64)] >> (i % 64) & 1; });
    return true;
  }

  /// The tokens of the nodes that `of` names, as ranges.
  template <typename F> Ranges tokensOf(F of) const {
    Ranges ranges;
    for (int64_t i = 0; i < m.n; ++i) {
      if (!of(i))
        continue;
      const int64_t lo = i * facts.tokensPerNode, hi = std::min(facts.tokens, lo + facts.tokensPerNode);
      if (!ranges.empty() && ranges.back().second == lo)
        ranges.back().second = hi;
      else
        ranges.emplace_back(lo, hi);
    }
    return ranges;
  }

  BitMatrix m; // one layer; run() sets the diagonal
  std::vector<int64_t> weight;
  Clock::time_point deadline;
  std::vector<BitMatrix> power; // after 1, 2, 4, ... layers
};

} // namespace

int64_t MaskGraph::blockFor(int64_t tokens) {
  if (tokens <= mostNodes)
    return 1;
  int64_t block = 64;
  while ((tokens - 1) / block >= mostNodes)
    block *= 2;
  return block;
}

MaskGraph::MaskGraph(int64_t tokens, int64_t tokensPerNode)
    : tokens(tokens), tokensPerNode(tokensPerNode), nodes((tokens + tokensPerNode - 1) / tokensPerNode),
      words((nodes + 63) / 64), bits(size_t(nodes * words), 0), sees(size_t(tokens), false),
      seenChange(size_t(tokens) + 1, 0) {}

void MaskGraph::addRow(int64_t query, const Ranges &keys) {
  sees[size_t(query)] = !keys.empty();
  uint64_t *row = bits.data() + query / tokensPerNode * words;
  for (auto [lo, hi] : keys) {
    ++seenChange[size_t(lo)];
    --seenChange[size_t(hi)];
    const int64_t first = lo / tokensPerNode, last = (hi - 1) / tokensPerNode;
    for (int64_t w = first / 64; w <= last / 64; ++w) {
      uint64_t add = ~uint64_t(0);
      if (w == first / 64)
        add &= ~uint64_t(0) << (first % 64);
      if (w == last / 64)
        add &= ~uint64_t(0) >> (63 - last % 64);
      row[w] |= add;
    }
  }
}

GraphFacts MaskGraph::analyse(double seconds) const {
  const auto deadline =
      Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  GraphFacts facts;
  facts.tokens = tokens;
  facts.tokensPerNode = tokensPerNode;
  std::vector<int64_t> weight(size_t(nodes), 0);
  int64_t seen = 0;
  for (int64_t t = 0; t < tokens; ++t) {
    seen += seenChange[size_t(t)];
    if (sees[size_t(t)] || seen > 0)
      ++weight[size_t(t / tokensPerNode)];
    else
      ++facts.padding;
  }
  facts.nodes = std::count_if(weight.begin(), weight.end(), [](int64_t w) { return w > 0; });
  BitMatrix m(nodes, words);
  m.bits = bits;
  Analysis analysis(std::move(m), std::move(weight), std::move(facts), deadline);
  analysis.run();
  return std::move(analysis.facts);
}
