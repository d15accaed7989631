//===- RandomPreds.h - Predicates at random, each with its meaning --------===//

#ifndef ATTN_TEST_UNIT_SETS_RANDOMPREDS_H
#define ATTN_TEST_UNIT_SETS_RANDOMPREDS_H

#include "World.h"

#include <algorithm>

namespace attn::sets::test {

/// A library value beside a function of the world that means the same and was written without the library.
struct RandomExpr {
  Expr e;
  std::function<int64_t(const World &)> f;
};
struct RandomPred {
  Pred p;
  std::function<bool(const World &)> f;
};

class Generator {
public:
  explicit Generator(uint64_t seed) : rng(seed) {}

  int64_t pick(int64_t lo, int64_t hi) { return lo + int64_t(rng() % uint64_t(hi - lo + 1)); }
  bool chance(int percent) { return pick(1, 100) <= percent; }

  /// At times one by which boxes are cut where they wrap around.
  int64_t divisor() { return chance(30) ? pick(8, 10) : pick(1, 6); }

  RandomExpr index() {
    if (chance(50))
      return {vi(), [](const World &x) { return x.i; }};
    return {vj(), [](const World &x) { return x.j; }};
  }

  /// Something of one index, or a scalar.
  RandomExpr leaf() {
    switch (pick(0, 9)) {
    case 0: {
      int64_t c = pick(-6, 12);
      return {num(c), [=](const World &) { return c; }};
    }
    case 1:
      return {vw(), [](const World &x) { return x.w; }};
    case 2: {
      unsigned t = chance(50) ? Seg : chance(50) ? Bag : Ends;
      RandomExpr a = index();
      return {at(t, a.e), [=](const World &x) { return x.load(t, {a.f(x)}); }};
    }
    case 3: {
      RandomExpr a = index();
      return {Expr::load(Seg2, {vb(), a.e}), [=](const World &x) { return x.load(Seg2, {x.b, a.f(x)}); }};
    }
    case 4:
      return {at(Lens, vb()), [](const World &x) { return x.load(Lens, {x.b}); }};
    case 5:
      return element();
    default:
      return index();
    }
  }

  /// An element at an index that is computed, or at two.
  RandomExpr element() {
    RandomExpr a = index();
    int64_t c = pick(2, 5);
    unsigned t = chance(60) ? Seg : Bag;
    switch (pick(0, 4)) {
    case 0:
      return {at(t, floorDiv(a.e, c)), [=](const World &x) { return x.load(t, {floorDivide(a.f(x), c)}); }};
    case 1:
      return {at(t, mod(a.e, c)), [=](const World &x) { return x.load(t, {a.f(x) - c * floorDivide(a.f(x), c)}); }};
    case 2:
      return {at(t, num(lastToken) - a.e), [=](const World &x) { return x.load(t, {lastToken - a.f(x)}); }};
    case 3:
      return {at(t, at(Perm, a.e)), [=](const World &x) { return x.load(t, {x.load(Perm, {a.f(x)})}); }};
    default:
      return {Expr::load(Pair, {vi(), vj()}), [](const World &x) { return x.load(Pair, {x.i, x.j}); }};
    }
  }

  RandomExpr product(int depth) {
    RandomExpr a = expr(depth - 1);
    if (chance(60)) {
      RandomExpr d = chance(50) ? index() : expr(depth - 1);
      // Squares, in writings that the library has to see as one.
      return {chance(50) ? (a.e - d.e) * (d.e - a.e) * -1 : (a.e - d.e) * (a.e - d.e), [=](const World &x) {
                int64_t v = a.f(x) - d.f(x);
                return v * v;
              }};
    }
    RandomExpr b = expr(depth - 1);
    return {a.e * b.e, [=](const World &x) { return a.f(x) * b.f(x); }};
  }

  RandomExpr expr(int depth) {
    if (depth == 0)
      return leaf();
    // Deeper products would leave 64 bits.
    if (depth <= 3 && chance(10))
      return product(depth);
    RandomExpr a = expr(depth - 1);
    switch (pick(0, 9)) {
    case 0:
    case 1: {
      RandomExpr b = expr(depth - 1);
      int64_t m = pick(-3, 3);
      return {a.e + b.e * m, [=](const World &x) { return a.f(x) + b.f(x) * m; }};
    }
    case 2: {
      RandomExpr b = expr(depth - 1);
      return {a.e - b.e, [=](const World &x) { return a.f(x) - b.f(x); }};
    }
    case 3: {
      int64_t c = pick(1, 6), k = pick(-5, 5);
      return {floorDiv(a.e + k, c), [=](const World &x) { return floorDivide(a.f(x) + k, c); }};
    }
    case 4: {
      int64_t c = divisor(), k = pick(-5, 5);
      return {mod(a.e + k, c), [=](const World &x) {
                int64_t v = a.f(x) + k;
                return v - c * floorDivide(v, c);
              }};
    }
    case 5: {
      RandomExpr b = expr(depth - 1);
      if (chance(30)) {
        // Operands that differ by a constant: one of them decides.
        int64_t k = pick(-2, 2);
        b = {a.e + k, [=](const World &x) { return a.f(x) + k; }};
      }
      if (chance(50))
        return {min(a.e, b.e), [=](const World &x) { return std::min(a.f(x), b.f(x)); }};
      return {max(a.e, b.e), [=](const World &x) { return std::max(a.f(x), b.f(x)); }};
    }
    case 6: {
      RandomExpr b = expr(depth - 1), c = leaf();
      int64_t k = pick(-8, 8), m = pick(-1, 1);
      c = {c.e * m + k, [=](const World &x) { return c.f(x) * m + k; }};
      return {Expr::select(c.e, a.e, b.e), [=](const World &x) { return c.f(x) >= 0 ? a.f(x) : b.f(x); }};
    }
    case 7: {
      // Written out: x - c floor(x / c), and x - x mod c.
      int64_t c = pick(2, 5);
      bool quotient = chance(50);
      Expr e = quotient ? a.e - mod(a.e, c) : a.e - floorDiv(a.e, c) * c;
      return {e, [=](const World &x) {
                int64_t q = c * floorDivide(a.f(x), c);
                return quotient ? q : a.f(x) - q;
              }};
    }
    default: {
      int64_t m = pick(-2, 3), k = pick(-8, 8);
      return {a.e * m + k, [=](const World &x) { return a.f(x) * m + k; }};
    }
    }
  }

  RandomPred compare(const RandomExpr &a, const RandomExpr &b) {
    switch (pick(0, 5)) {
    case 0:
      return {eq(a.e, b.e), [=](const World &x) { return a.f(x) == b.f(x); }};
    case 1:
      return {ne(a.e, b.e), [=](const World &x) { return a.f(x) != b.f(x); }};
    case 2:
      return {lt(a.e, b.e), [=](const World &x) { return a.f(x) < b.f(x); }};
    case 3:
      return {gt(a.e, b.e), [=](const World &x) { return a.f(x) > b.f(x); }};
    case 4:
      return {ge(a.e, b.e), [=](const World &x) { return a.f(x) >= b.f(x); }};
    default:
      return {le(a.e, b.e), [=](const World &x) { return a.f(x) <= b.f(x); }};
    }
  }

  /// What masks are made of.
  RandomPred usual() {
    int64_t k = pick(-6, 6), c = divisor();
    switch (pick(0, 9)) {
    case 8:
      return disc(c, k);
    case 9:
      return {eq(at(Seg, vi()), at(Seg, vj())),
              [](const World &x) { return x.load(Seg, {x.i}) == x.load(Seg, {x.j}); }};
    case 0:
      return {le(vj(), vi() + k), [=](const World &x) { return x.j <= x.i + k; }};
    case 1:
      return {ge(vj(), vi() - vw() + k), [=](const World &x) { return x.j >= x.i - x.w + k; }};
    case 2:
      return {lt(vj(), at(Lens, vb())), [](const World &x) { return x.j < x.load(Lens, {x.b}); }};
    case 3:
      return {lt(vi(), at(Lens, vb())), [](const World &x) { return x.i < x.load(Lens, {x.b}); }};
    case 4:
      return {eq(Expr::load(Seg2, {vb(), vi()}), Expr::load(Seg2, {vb(), vj()})),
              [](const World &x) { return x.load(Seg2, {x.b, x.i}) == x.load(Seg2, {x.b, x.j}); }};
    case 5:
      return {eq(mod(vi() - vj(), c), num(0)),
              [=](const World &x) { return x.i - x.j == c * floorDivide(x.i - x.j, c); }};
    case 6:
      return {le(floorDiv(vj() + k, c), floorDiv(vi(), c)),
              [=](const World &x) { return floorDivide(x.j + k, c) <= floorDivide(x.i, c); }};
    default:
      // A table by distance; a distance outside it is an absent pair, which the predicate has to say.
      return {le(num(0), vj() - vi() + k) && lt(vj() - vi() + k, num(c)) && ge(at(Rel, vj() - vi() + k), num(1)),
              [=](const World &x) {
                int64_t d = x.j - x.i + k;
                return d >= 0 && d < c && x.load(Rel, {d}) >= 1;
              }};
    }
  }

  /// A disc on a grid of rows of c tokens, with or without the square around it.
  RandomPred disc(int64_t c, int64_t r) {
    Expr dx = floorDiv(vi(), c) - floorDiv(vj(), c), dy = mod(vi(), c) - mod(vj(), c);
    Pred p = lt(dx * dx + dy * dy, num(r * r));
    if (chance(50))
      p = p && lt(dx, num(std::abs(r))) && lt(-dx, num(std::abs(r)));
    return {p, [=](const World &x) {
              int64_t a = floorDivide(x.i, c) - floorDivide(x.j, c), b = x.i - x.j - a * c;
              return a * a + b * b < r * r;
            }};
  }

  RandomPred atom() {
    if (chance(45))
      return usual();
    if (chance(8)) {
      unsigned id = unsigned(pick(0, 2)) | (chance(70) ? Pred::answerable : 0);
      return {Pred::opaque(id), [=](const World &x) { return x.opaque(id); }};
    }
    if (chance(60)) {
      int64_t a = pick(-3, 3), b = pick(-3, 3), k = pick(-12, 12);
      return compare({vi() * a + vj() * b + k, [=](const World &x) { return a * x.i + b * x.j + k; }},
                     {num(0), [](const World &) { return int64_t(0); }});
    }
    return compare(expr(int(pick(0, 2))), expr(int(pick(0, 1))));
  }

  RandomPred pred(int depth) {
    if (depth == 0)
      return atom();
    RandomPred a = pred(int(pick(0, depth - 1))), b = pred(int(pick(0, depth - 1)));
    switch (pick(0, 4)) {
    case 0:
      return {!a.p, [=](const World &x) { return !a.f(x); }};
    case 1:
      return {a.p || b.p, [=](const World &x) { return a.f(x) || b.f(x); }};
    case 2:
      return {minus(a.p, b.p), [=](const World &x) { return a.f(x) && !b.f(x); }};
    default:
      return {a.p && b.p, [=](const World &x) { return a.f(x) && b.f(x); }};
    }
  }

  static constexpr int64_t lastToken = 17;
  std::mt19937_64 rng;
};

} // namespace attn::sets::test

#endif // ATTN_TEST_UNIT_SETS_RANDOMPREDS_H
