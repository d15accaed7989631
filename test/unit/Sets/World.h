//===- World.h - A small index space with tensors, for the tests ----------===//
//
// Predicates under test are built twice: with the library, and as plain C++ functions of (i, j) that share no code with
// it. A test compares the two over a space small enough to walk.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TEST_UNIT_SETS_WORLD_H
#define ATTN_TEST_UNIT_SETS_WORLD_H

#include "attn/Sets/Count.h"

#include <cstdlib>
#include <random>

namespace attn::sets::test {

/// Variables: the two indices, the batch index, a run-time scalar, and the ends of symbolic boxes.
enum : unsigned { I = 0, J = 1, B = 2, W = 3, I0 = 10, I1 = 11, J0 = 12, J1 = 13 };
/// Tables over tokens: sorted segments, arbitrary small values, row ends; over (batch, token); over batch; over j - i.
enum : unsigned { Seg = 0, Bag = 1, Ends = 2, Seg2 = 3, Lens = 4, Rel = 5 };

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
  std::vector<std::vector<int64_t>> tables = std::vector<std::vector<int64_t>>(6);
  uint64_t salt = 0;

  int64_t extent(unsigned table, unsigned axis) const {
    if (table == Seg2)
      return axis == 0 ? 2 : tokens;
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
  bool opaque(unsigned id) const {
    uint64_t x =
        salt + id * 0x9E3779B97F4A7C15ull + uint64_t(i) * 0xBF58476D1CE4E5B9ull + uint64_t(j) * 0x94D049BB133111EBull;
    x ^= x >> 29;
    x *= 0xBF58476D1CE4E5B9ull;
    return (x >> 40) & 1;
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
