// Promises about captured tensors: the kernel goes by them and is right, and a call that breaks one does no work.
#include "Harness.h"

#include <numeric>

using namespace attn;
using namespace attn::test;

namespace {

constexpr std::pair<int64_t, int64_t> kLengths[] = {{1, 1}, {0, 9}, {9, 0}, {17, 40}, {40, 17}, {65, 65}, {97, 301}};

/// Rows that ascend, with runs of equal elements, from `first` on.
Tensor ascending(Element element, const Index &shape, uint64_t seed, int64_t first = -3) {
  Tensor steps = Tensor::integers(element, shape, seed, 0, 9);
  Tensor t(element, shape);
  double at = 0;
  steps.each([&](llvm::ArrayRef<int64_t> x) {
    at = x.back() == 0 ? double(first) : at + (steps.get(x) == 0) * (1 + x.back() % 3);
    t.set(x, at);
  });
  return t;
}

struct Case {
  const char *set, *args;
  bool perBatch, sortedQ, sortedK, wide; // captured: one tensor, or queries' and keys'
  bool two;
};

std::ostream &operator<<(std::ostream &os, const Case &c) { return os << c.set << c.args; }

class Facts : public ::testing::TestWithParam<Case> {};
INSTANTIATE_TEST_SUITE_P(
    Each, Facts,
    ::testing::Values(
        Case{"same_segment<%s> and causal<bottom_right>", ", %s: tensor<?x?xi32> {attn.sorted}", true, true, true,
             false, false},
        Case{"same_segment<%s>", ", %s: tensor<?xi64> {attn.sorted}", false, true, true, true, false},
        Case{"not same_segment<%s>", ", %s: tensor<?x?xi64> {attn.sorted}", true, true, true, true, false},
        Case{"same_segment<q = %s, k = %t>", ", %s: tensor<?x?xi32> {attn.sorted}, %t: tensor<?x?xi32> {attn.sorted}",
             true, true, true, false, true},
        Case{"same_segment<q = %s, k = %t> and window<top_left, left = 30>",
             ", %s: tensor<?xi32>, %t: tensor<?xi32> {attn.sorted}", false, false, true, false, true},
        Case{"same_segment<q = %s, k = %t>", ", %s: tensor<?x?xi64> {attn.sorted}, %t: tensor<?x?xi64>", true, true,
             false, true, true},
        Case{"same_segment<q = %s, k = %t> or causal<top_left>",
             ", %s: tensor<?x?xi32> {attn.sorted, attn.range = array<i64: -20, 4000>}, %t: tensor<?x?xi32> "
             "{attn.sorted}",
             true, true, true, false, true},
        Case{"shared_prefix<q = %s, k = %t, shared = -3>",
             ", %s: tensor<?x?xi32> {attn.sorted}, %t: tensor<?x?xi32> {attn.sorted}", true, true, true, false, true},
        Case{"where(b = %b, i = %i, j = %j) {\n%x = attn.load %s[%b, %i] : tensor<?x?xi32>\n"
             "%y = attn.load %t[%b, %j] : tensor<?x?xi32>\n%p = arith.cmpi sge, %x, %y : i32\nattn.yield %p : i1\n}",
             ", %s: tensor<?x?xi32> {attn.sorted}, %t: tensor<?x?xi32> {attn.sorted, attn.range = array<i64: -3, "
             "1000000>}",
             true, true, true, false, true}));

TEST_P(Facts, AsTheInterpreterSays) {
  const Case &c = GetParam();
  Attention a;
  a.set = c.set;
  a.args = c.args;
  for (Blocks blocks : {kTiny, Blocks{}})
    for (auto [I, J] : kLengths) {
      if (!c.two && I != J)
        continue;
      Call call{normalInputs(a, 2, 1, I, J, uint64_t(41 * J + I))};
      const Element element = c.wide ? Element::I64 : Element::I32;
      auto captured = [&](bool sorted, int64_t tokens, uint64_t seed) {
        const Index shape = c.perBatch ? Index{2, tokens} : Index{tokens};
        return sorted ? ascending(element, shape, seed) : Tensor::integers(element, shape, seed, -5, 12);
      };
      call.inputs.push_back(captured(c.sortedQ, I, 3));
      if (c.two)
        call.inputs.push_back(captured(c.sortedK, J, 5));
      EXPECT_EQ(check(program(a, blocks), call), "") << c << " " << I << " " << J;
    }
}

/// Ids at the ends of i64: what is sought must not wrap.
class Ends : public ::testing::TestWithParam<const char *> {};
INSTANTIATE_TEST_SUITE_P(
    Each, Ends,
    ::testing::Values(
        "same_segment<%s>", "not same_segment<%s>", "same_segment<%s> and causal<top_left>",
        "where(i = %i, j = %j) {\n%x = attn.load %s[%i] : tensor<?xi64>\n"
        "%y = attn.load %s[%j] : tensor<?xi64>\n%p = arith.cmpi slt, %y, %x : i64\nattn.yield %p : i1\n}",
        "not where(i = %i, j = %j) {\n%x = attn.load %s[%i] : tensor<?xi64>\n"
        "%y = attn.load %s[%j] : tensor<?xi64>\n%p = arith.cmpi slt, %x, %y : i64\nattn.yield %p : i1\n}"));
TEST_P(Ends, OfWideIds) {
  for (const char *fact : {"", " {attn.sorted}"}) {
    Attention a;
    a.set = GetParam();
    a.args = std::string(", %s: tensor<?xi64>") + fact;
    Call call{normalInputs(a, 1, 1, 45, 45, 7)};
    Tensor ids(Element::I64, {45});
    for (int64_t n = 0; n < 45; ++n)
      ids.setBits({n}, uint64_t(n < 11 ? INT64_MIN : n < 20 ? -1 : n < 31 ? 0 : INT64_MAX));
    call.inputs.push_back(ids);
    EXPECT_EQ(check(program(a), call), "") << a.set << fact;
  }
}

/// Nothing is lost against summaries: not a block more is visited, and documents that cross blocks leave no block for
/// nothing.
TEST(FactsOfDocuments, VisitNoMore) {
  Attention plain, promised;
  plain.set = promised.set = "same_segment<%s> and causal<top_left>";
  plain.args = ", %s: tensor<?x?xi32>";
  promised.args = ", %s: tensor<?x?xi32> {attn.sorted}";
  Call a{normalInputs(plain, 2, 1, 300, 300, 1)};
  a.inputs.push_back(ascending(Element::I32, {2, 300}, 11));
  Call b{a.inputs};
  EXPECT_EQ(check(program(plain), a), "");
  EXPECT_EQ(check(program(promised), b), "");
  EXPECT_LE(b.stats.blocks_full + b.stats.blocks_partial, a.stats.blocks_full + a.stats.blocks_partial);
  EXPECT_LE(b.stats.tiles, a.stats.tiles);
  EXPECT_GT(b.stats.blocks_skipped, 0);
}

/// Two documents of whole strips and panels (x86-64-v3: 96 tokens, strips of 6 rows by panels of 16 keys), and no panel
/// of the other document, though the strips of both see the same summaries.
TEST(FactsOfDocuments, AStripVisitsItsOwnDocument) {
  Attention a;
  a.set = "same_segment<%s>";
  a.args = ", %s: tensor<?x?xi32>";
  Call first{normalInputs(a, 1, 1, 1, 1, 1)};
  first.inputs.push_back(Tensor(Element::I32, {1, 1}));
  first.run(program(a));
  const int64_t rows = first.stats.tile_rows, keys = first.stats.tile_keys, length = 2 * std::lcm(rows, keys);
  Call call{normalInputs(a, 1, 1, 2 * length, 2 * length, 1)};
  Tensor ids(Element::I32, {1, 2 * length});
  ids.fill([&](auto x) { return x[1] < length ? 3 : 4; });
  call.inputs.push_back(ids);
  EXPECT_EQ(check(program(a), call), "");
  EXPECT_EQ(call.stats.tiles, 2 * (length / rows) * (length / keys));
}

class BrokenFact : public ::testing::Test {
protected:
  BrokenFact() {
    a.set = "same_segment<%s> and where(i = %i, j = %j) {\n%x = attn.load %r[%j] : tensor<?xi64>\n"
            "%y = arith.index_cast %i : index to i64\n%p = arith.cmpi ne, %x, %y : i64\nattn.yield %p : i1\n}";
    a.args = ", %w: index, %s: tensor<?x?xi32> {attn.sorted}, %r: tensor<?xi64> {attn.range = array<i64: -2, 50>}";
    call.inputs = normalInputs(a, 2, 2, 33, 33, 3);
    call.inputs.push_back(ascending(Element::I32, {2, 33}, 2));
    call.inputs.push_back(Tensor::integers(Element::I64, {33}, 2, -2, 49));
    call.params = {integerParam(0)};
    call.outputs = makeOutputs(program(a), call.inputs);
  }
  void expect(int arg, int axis, int64_t expected, int64_t found) {
    std::vector<std::vector<uint64_t>> before;
    for (const Tensor &t : call.outputs)
      before.push_back(t.elements());
    EXPECT_EQ(call.run(program(a)), ATTN_E_FACT) << attn_status_name(call.status);
    EXPECT_EQ(call.error.arg, arg);
    EXPECT_EQ(call.error.axis, axis);
    EXPECT_EQ(call.error.expected, expected);
    EXPECT_EQ(call.error.found, found);
    for (size_t r = 0; r < before.size(); ++r)
      EXPECT_EQ(call.outputs[r].elements(), before[r]) << "output " << r << " was written";
  }
  Attention a;
  Call call;
};

TEST_F(BrokenFact, AsItIsTheCallIsRight) { EXPECT_EQ(check(program(a), call), ""); }
TEST_F(BrokenFact, Order) {
  call.inputs[3].set({1, 32}, -7);
  expect(3, 1, int64_t(call.inputs[3].get({1, 31})), -7);
}
TEST_F(BrokenFact, UnderTheRange) {
  call.inputs[4].set({5}, -3);
  expect(4, -1, -2, -3);
}
TEST_F(BrokenFact, TheEndOfTheRangeIsOutside) {
  call.inputs[4].set({32}, 50);
  expect(4, -1, 50, 50);
}
TEST_F(BrokenFact, InAnyLayout) {
  Tensor strided(Element::I32, {2, 33}, {{1, 0}, {}, {}, 3});
  strided.fill([&](auto x) { return call.inputs[3].get(x); });
  call.inputs[3] = strided;
  EXPECT_EQ(check(program(a), call), "");
  call.inputs[3].set({0, 4}, 1000);
  expect(3, 1, 1000, int64_t(call.inputs[3].get({0, 5})));
}

} // namespace
