//===- TimingTest.cpp - The algebra is no part of a compile time -----------===//

#include "RandomPreds.h"

#include <ctime>
#include <gtest/gtest.h>

using namespace attn::sets;
using namespace attn::sets::test;

namespace {

/// Milliseconds of this process, whatever else the machine does.
double milliseconds(const std::function<void()> &work) {
  std::clock_t from = std::clock();
  work();
  return 1000.0 * double(std::clock() - from) / CLOCKS_PER_SEC;
}

/// Operations to emit, each once.
void collect(const Expr &e, std::set<Expr> &seen) {
  if (!e.isConst() && !e.is(ExprKind::Var) && seen.insert(e).second)
    for (const Expr &o : e.operands())
      collect(o, seen);
}
void collect(const Pred &p, std::set<Expr> &seen) {
  collect(p.expr(), seen);
  for (const Pred &o : p.operands())
    collect(o, seen);
}

Pred randomPred(Generator &gen, int atoms) {
  if (atoms == 1)
    return gen.atom().p;
  int left = int(gen.pick(1, atoms - 1));
  Pred a = randomPred(gen, left), b = randomPred(gen, atoms - left);
  switch (gen.pick(0, 4)) {
  case 0:
    return minus(a, b);
  case 1:
  case 2:
    return a || b;
  default:
    return a && b;
  }
}

TEST(Timing, TwelveAtoms) {
  int total = isLong() ? 5000 : 400;
  double sum = 0, worst = 0, parts[4] = {}, slow[4] = {};
  size_t operations = 0, most = 0;
  std::string slowest;
  for (int n = 0; n < total; ++n) {
    Generator gen(seed() + uint64_t(n));
    Pred p = randomPred(gen, 12);
    Facts facts;
    facts.sorted = {Seg, Seg2};
    facts.range[Bag] = {-1, 3};
    double times[4];
    Interval rows{Expr::var(I0), Expr::var(I1)}, keys{Expr::var(J0), Expr::var(J1)};
    Solution s;
    std::vector<Pred> tests;
    times[0] = milliseconds([&] { p = normalize(p); });
    times[1] = milliseconds([&] { s = solve(p, J, {{I, rows}}, 16, facts); });
    times[2] = milliseconds([&] {
      for (const Conjunct &c : s.conjuncts)
        tests.push_back(mayHold(c, s, keys));
    });
    times[3] = milliseconds([&] {
      for (const Conjunct &c : s.conjuncts)
        tests.push_back(mustHold(c, s, keys));
    });
    std::set<Expr> seen;
    for (const Pred &t : tests)
      collect(t, seen);
    operations += seen.size();
    most = std::max(most, seen.size());
    double all = 0;
    for (int k = 0; k < 4; ++k) {
      parts[k] += times[k] / total;
      all += times[k];
    }
    sum += all;
    if (all > worst) {
      worst = all;
      slowest = "seed " + std::to_string(seed() + uint64_t(n)) + ", " + std::to_string(s.conjuncts.size()) +
                " conjuncts: " + p.str();
      std::copy(times, times + 4, slow);
    }
  }
  std::printf("%d predicates of 12 atoms: %.2f ms each (normalize %.2f, solve %.2f, may %.2f, must %.2f)\n"
              "the slowest: %.2f ms (normalize %.2f, solve %.2f, may %.2f, must %.2f)\n"
              "operations of the tile tests: %zu each, %zu at most\n",
              total, sum / total, parts[0], parts[1], parts[2], parts[3], worst, slow[0], slow[1], slow[2], slow[3],
              operations / size_t(total), most);
  EXPECT_LE(worst, 50) << slowest;
}

} // namespace
