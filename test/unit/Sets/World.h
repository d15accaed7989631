//===- World.h - A small index space with tensors, for the tests ----------===//
//
// Predicates under test are built twice: with the library, and as plain C++ functions of (i, j) that share no code with
// it. A test compares the two over a space small enough to walk.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TEST_UNIT_SETS_WORLD_H
#define ATTN_TEST_UNIT_SETS_WORLD_H

#include "attn/Sets/Count.h"

#include <algorithm>
#include <cstdlib>
#include <random>

namespace attn::sets::test {

/// Variables: the two indices, the batch index, a run-time scalar, and the ends of symbolic boxes.
enum : unsigned { I = 0, J = 1, B = 2, W = 3, I0 = 10, I1 = 11, J0 = 12, J1 = 13 };
/// Tables over tokens: sorted segments, arbitrary small values, row ends; sorted over (batch, token); over batch; over
/// j - i; tokens over tokens; over (token, token).
enum : unsigned { Seg = 0, Bag = 1, Ends = 2, Seg2 = 3, Lens = 4, Rel = 5, Perm = 6, Pair = 7, tableCount = 8 };

inline Expr vi() { return Expr::var(I); }
inline Expr vj() { return Expr::var(J); }
inline Expr vb() { return Expr::var(B); }
inline Expr vw() { return Expr::var(W); }
inline Expr num(int64_t n) { return Expr::constant(n); }
inline Expr at(unsigned table, const Expr &index) { return Expr::load(table, {index}); }

struct World {
  int64_t tokens = 20;
  int64_t i = 0, j = 0, b = 1, w = 3;
  int64_t i0 = 0, i1 = 0, j0 = 0, j1 = 0;
  std::vector<std::vector<int64_t>> tables = std::vector<std::vector<int64_t>>(tableCount);
  uint64_t salt = 0;
  /// Some of what is so of the tables.
  Facts facts;

  int64_t extent(unsigned table, unsigned axis) const {
    if (table == Seg2)
      return axis == 0 ? 2 : tokens;
    if (table == Pair)
      return tokens;
    return int64_t(tables[table].size());
  }
  /// Out of range a load gives anything; here a value that no test expects.
  int64_t load(unsigned table, const std::vector<int64_t> &index) const {
    int64_t flat = index[0];
    for (size_t n = 0; n < index.size(); ++n)
      if (index[n] < 0 || index[n] >= extent(table, unsigned(n)))
        return -777;
    if (index.size() == 2)
      flat = index[0] * extent(table, 1) + index[1];
    return tables[table][size_t(flat)];
  }
  /// A question is answered for the tile of i0..i1 and j0..j1, at times with less than is so.
  bool opaque(unsigned id) const {
    if (!(id & (Pred::mayBit | Pred::mustBit)))
      return condition(Pred::opaqueIndex(id));
    bool may = id & Pred::mayBit;
    World at = *this;
    at.i = at.j = 0;
    at.salt += uint64_t(i0 + 20 * i1 + 400 * j0 + 8000 * j1);
    if (at.condition(100) && at.condition(101))
      return may;
    at.salt = salt;
    for (at.i = i0; at.i <= i1; ++at.i)
      for (at.j = j0; at.j <= j1; ++at.j)
        if (at.condition(Pred::opaqueIndex(id)) == may)
          return may;
    return !may;
  }
  bool condition(unsigned id) const {
    uint64_t x =
        salt + id * 0x9E3779B97F4A7C15ull + uint64_t(i) * 0xBF58476D1CE4E5B9ull + uint64_t(j) * 0x94D049BB133111EBull;
    x ^= x >> 29;
    x *= 0xBF58476D1CE4E5B9ull;
    // Some hold nearly everywhere, some nearly nowhere: else no tile is empty or full.
    return ((x >> 40) & 15) < (id % 3 == 0 ? 8 : id % 3 == 1 ? 15 : 1);
  }
  int64_t var(unsigned id) const {
    switch (id) {
    case I:
      return i;
    case J:
      return j;
    case B:
      return b;
    case W:
      return w;
    case I0:
      return i0;
    case I1:
      return i1;
    case J0:
      return j0;
    case J1:
      return j1;
    }
    std::abort();
  }
  Env env() const {
    Env e;
    e.var = [this](unsigned id) { return var(id); };
    e.load = [this](unsigned t, const std::vector<int64_t> &index) { return load(t, index); };
    e.extent = [this](unsigned t, unsigned axis) { return extent(t, axis); };
    e.opaque = [this](unsigned id) { return opaque(id); };
    return e;
  }

  void fill(std::mt19937_64 &rng) {
    auto pick = [&](int64_t n) { return int64_t(rng() % uint64_t(n)); };
    salt = rng();
    for (auto &t : tables)
      t.clear();
    int64_t segment = 0;
    for (int64_t n = 0; n < tokens; ++n) {
      tables[Seg].push_back(segment += pick(5) == 0);
      tables[Bag].push_back(pick(5) - 1);
      tables[Ends].push_back(pick(tokens + 4) - 2);
    }
    for (int64_t n = 0; n < 2 * tokens; ++n)
      tables[Seg2].push_back(n / 6);
    tables[Lens] = {pick(tokens + 1), pick(tokens + 1)};
    for (int64_t n = 0; n < 2 * tokens - 1; ++n)
      tables[Rel].push_back(pick(4) - 1);
    for (int64_t n = 0; n < tokens; ++n)
      tables[Perm].push_back(pick(tokens));
    for (int64_t n = 0; n < tokens * tokens; ++n)
      tables[Pair].push_back(pick(4) * 3);
    facts = Facts();
    for (unsigned t : {Seg, Seg2})
      if (pick(2))
        facts.sorted.insert(t);
    for (unsigned t = 0; t < tableCount; ++t)
      if (pick(2)) {
        auto ends = std::minmax_element(tables[t].begin(), tables[t].end());
        facts.range[t] = {*ends.first - pick(2), *ends.second + pick(2)};
      }
  }
};

inline int64_t floorDivide(int64_t x, int64_t c) {
  int64_t q = 0;
  while (q * c > x)
    --q;
  while ((q + 1) * c <= x)
    ++q;
  return q;
}

/// The seed of this run: ATTN_SEED, or fixed. Printed by the tests that use it.
inline uint64_t seed() {
  const char *s = std::getenv("ATTN_SEED");
  return s ? std::strtoull(s, nullptr, 10) : 20240607;
}
inline bool isLong() {
  const char *s = std::getenv("ATTN_LONG");
  return s && *s && *s != '0';
}

} // namespace attn::sets::test

#endif // ATTN_TEST_UNIT_SETS_WORLD_H
