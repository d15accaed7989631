// Which members stand together.
#include "PairsProgram.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>

using namespace attn;
using namespace attn::test;

namespace {

const std::vector<std::vector<std::string>> kOthers = {
    {"f32", "f64", "bf16", "f16", "mixed"},
    {"bhsd", "gqa", "mqa", "bshd", "strided", "packed", "k = v", "one batch", "no batch"},
    {"8, 8", "63, 63", "80, 80", "8, 63", "80, 1"},
    {"33, 33", "17, 40", "40, 17", "1, 37", "9, 0", "0, 9", "7, 1", "47, 47", "1, 1"},
    {"no dropout", "dropout", "run-time dropout"},
};

bool isIn(const std::string &s, std::initializer_list<const char *> names) {
  return std::any_of(names.begin(), names.end(), [&](const char *n) { return s == n; });
}

/// Why axes of which the second is behind the first cannot have these members.
bool conflict(int a, int x, int b, int y) {
  const std::string m = memberName(a, x), n = memberName(b, y);
  if (a == kNormalizer && b == kOutput) {
    const PairsNormalizer &normalizer = pairsNormalizers()[size_t(x)];
    const PairsOutput &output = pairsOutputs()[size_t(y)];
    return (output.needsOther && normalizer.other.empty()) || (output.needsWeights && !normalizer.weights);
  }
  if (a == kSet && b == kLayout)
    return pairsSets()[size_t(x)].needsBatch && n == "no batch";
  if (a == kLayout && b == kLengths && m == "packed")
    return !isIn(n, {"33, 33", "47, 47", "1, 1"});
  if (a == kElement && b == kLayout && m == "mixed")
    return isIn(n, {"packed"});
  return false;
}

struct Pair {
  int a, x, b, y;
};

std::vector<Pair> allPairs() {
  std::vector<Pair> pairs;
  for (int a = 0; a < kPairsAxes; ++a)
    for (int b = a + 1; b < kPairsAxes; ++b)
      for (int x = 0; x < int(numMembers(a)); ++x)
        for (int y = 0; y < int(numMembers(b)); ++y)
          if (compatible(a, x, b, y))
            pairs.push_back({a, x, b, y});
  return pairs;
}

class Planner {
public:
  explicit Planner(uint64_t seed) : draw(seed), pairs(allPairs()) {
    for (size_t n = pairs.size(); n-- > 1;)
      std::swap(pairs[n], pairs[size_t(draw.in(0, int64_t(n)))]);
  }

  Choice next() {
    while (from < pairs.size() && isCovered(pairs[from]))
      ++from;
    Choice choice;
    if (from < pairs.size())
      choice = around(&pairs[from]);
    else
      choice = around(nullptr);
    for (int a = 0; a < kPairsAxes; ++a)
      for (int b = a + 1; b < kPairsAxes; ++b)
        covered.insert(key({a, choice[size_t(a)], b, choice[size_t(b)]}));
    return choice;
  }

private:
  static int64_t key(const Pair &p) { return ((int64_t(p.a) * 64 + p.x) * 64 + p.b) * 64 + p.y; }
  bool isCovered(const Pair &p) const { return covered.count(key(p)); }

  /// Members for all other axes: those that cover most. Without a pair, and among equals, any.
  Choice around(const Pair *pair) {
    for (;;) {
      Choice choice;
      choice.fill(-1);
      if (pair) {
        choice[size_t(pair->a)] = pair->x;
        choice[size_t(pair->b)] = pair->y;
      }
      std::vector<int> order;
      for (int a = 0; a < kPairsAxes; ++a)
        if (choice[size_t(a)] < 0)
          order.push_back(a);
      for (size_t n = order.size(); n-- > 1;)
        std::swap(order[n], order[size_t(draw.in(0, int64_t(n)))]);
      bool complete = true;
      for (int axis : order)
        complete &= fill(choice, axis);
      if (complete)
        return choice;
    }
  }

  bool fill(Choice &choice, int axis) {
    int best = -1;
    std::vector<int> members;
    for (int m = 0; m < int(numMembers(axis)); ++m) {
      int gain = 0;
      bool possible = true;
      for (int other = 0; possible && other < kPairsAxes; ++other) {
        const int y = choice[size_t(other)];
        if (y < 0)
          continue;
        possible = compatible(axis, m, other, y);
        gain += !isCovered(axis < other ? Pair{axis, m, other, y} : Pair{other, y, axis, m});
      }
      if (!possible || gain < best)
        continue;
      if (gain > best)
        members.clear();
      best = gain;
      members.push_back(m);
    }
    if (members.empty())
      return false;
    choice[size_t(axis)] = draw.of(members);
    return true;
  }

  Draw draw;
  std::vector<Pair> pairs;
  size_t from = 0;
  std::set<int64_t> covered;
};

} // namespace

size_t test::numMembers(int axis) {
  switch (axis) {
  case kSet:
    return pairsSets().size();
  case kScore:
    return pairsScores().size();
  case kNormalizer:
    return pairsNormalizers().size();
  case kOutput:
    return pairsOutputs().size();
  default:
    return kOthers[size_t(axis - kElement)].size();
  }
}

std::string test::memberName(int axis, int member) {
  const size_t m = size_t(member);
  switch (axis) {
  case kSet:
    return pairsSets()[m].name;
  case kScore:
    return pairsScores()[m].name;
  case kNormalizer:
    return pairsNormalizers()[m].name;
  case kOutput:
    return pairsOutputs()[m].name;
  default:
    return kOthers[size_t(axis - kElement)][m];
  }
}

bool test::compatible(int a, int x, int b, int y) { return !(a < b ? conflict(a, x, b, y) : conflict(b, y, a, x)); }

std::vector<Choice> test::makePlan(uint64_t seed, size_t count) {
  Planner planner(seed);
  std::vector<Choice> plan;
  while (plan.size() < count)
    plan.push_back(planner.next());
  return plan;
}

Coverage test::coverage(llvm::ArrayRef<Choice> plan) {
  Coverage c;
  for (const Pair &p : allPairs()) {
    ++c.possible;
    if (llvm::any_of(plan,
                     [&](const Choice &choice) { return choice[size_t(p.a)] == p.x && choice[size_t(p.b)] == p.y; }))
      ++c.covered;
    else if (c.missing.size() < 2000)
      c.missing += memberName(p.a, p.x) + " with " + memberName(p.b, p.y) + "\n";
  }
  return c;
}
