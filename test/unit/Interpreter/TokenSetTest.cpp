// Sets of distances, blocks, first tokens and shared segments against their formulas.
#include "Harness.h"

using namespace attn::test;

namespace {

/// An aligned set with every alignment: `name<ALIGNMENT rest>`, member(i', j).
void checkAligned(const std::string &name, const std::string &rest, std::function<bool(int64_t, int64_t)> member) {
  for (auto [I, J] : {std::pair<int64_t, int64_t>{5, 8}, {8, 5}, {6, 6}, {1, 9}}) {
    checkSet({name + "<top_left" + rest + ">", "", {}, {}, I, J},
             [&](int64_t, int64_t, int64_t i, int64_t j) { return member(i, j); });
    int64_t s = J - I;
    checkSet({name + "<bottom_right" + rest + ">", "", {}, {}, I, J},
             [&](int64_t, int64_t, int64_t i, int64_t j) { return member(i + s, j); });
  }
  std::vector<double> q = {5, 1}, k = {0, 8};
  checkSet({name + "<bottom_right" + rest + ", q = %ql, k = %kl>",
            ", %ql: tensor<?xi64>, %kl: tensor<?xi32>",
            {Tensor(Format::I64, {2}, q), Tensor(Format::I32, {2}, k)}},
           [&](int64_t b, int64_t, int64_t i, int64_t j) { return member(i + (int64_t)(k[b] - q[b]), j); });
}

TEST(TokenSet, Dilated) {
  for (int64_t step : {1, 2, 3, 7, 1000})
    checkAligned("dilated", ", step = " + std::to_string(step),
                 [&](int64_t i, int64_t j) { return i - j - step * floorDiv(i - j, step) == 0; });
}

TEST(TokenSet, NotSelf) {
  checkAligned("not_self", "", [](int64_t i, int64_t j) { return j != i; });
}

TEST(TokenSet, BlockCausal) {
  for (int64_t block : {1, 2, 3, 100})
    checkAligned("block_causal", ", block = " + std::to_string(block),
                 [&](int64_t i, int64_t j) { return floorDiv(j, block) <= floorDiv(i, block); });
}

TEST(TokenSet, GlobalAndSinks) {
  checkSet({"global<2>"}, [](int64_t, int64_t, int64_t i, int64_t j) { return i < 2 || j < 2; });
  checkSet({"global<%g>", ", %g: i32", {}, {integerParam(-1)}},
           [](int64_t, int64_t, int64_t, int64_t) { return false; });
  checkSet({"global<%g>", ", %g: tensor<?xi32>", {Tensor(Format::I32, {2}, {0, 3})}},
           [](int64_t b, int64_t, int64_t i, int64_t j) { return b && (i < 3 || j < 3); });
  checkSet({"sinks<4>"}, [](int64_t, int64_t, int64_t, int64_t j) { return j < 4; });
  checkSet({"sinks<%n>", ", %n: i64", {}, {integerParam(1)}},
           [](int64_t, int64_t, int64_t, int64_t j) { return j < 1; });
  checkSet(
      {"sinks<%n> or window<top_left, left = 0, right = 0>", ", %n: tensor<?xi64>", {Tensor(Format::I64, {2}, {9, 1})}},
      [](int64_t b, int64_t, int64_t i, int64_t j) { return j < (b ? 1 : 9) || i == j; });
}

TEST(TokenSet, SharedPrefix) {
  std::vector<double> q = {0, 1, 1, 2, 3, 3, 2, -1, 0, 1}, k = {0, 0, 1, 1, 2, 2, 3, 3, -1, 1, 2, 3, 0, 2, 1, 0};
  Tensor sq(Format::I32, {2, 5}, q), sk(Format::I64, {2, 8}, k);
  const std::string args = ", %sq: tensor<?x?xi32>, %sk: tensor<?x?xi64>";
  auto member = [&](int64_t b, int64_t i, int64_t j, int64_t shared, std::optional<int64_t> all) {
    double a = q[b * 5 + i], c = k[b * 8 + j];
    return c == a || c == shared || (all && a == *all);
  };
  checkSet({"shared_prefix<q = %sq, k = %sk>", args, {sq, sk}},
           [&](int64_t b, int64_t, int64_t i, int64_t j) { return member(b, i, j, 0, std::nullopt); });
  checkSet({"shared_prefix<q = %sq, k = %sk, shared = 2, all = 3>", args, {sq, sk}},
           [&](int64_t b, int64_t, int64_t i, int64_t j) { return member(b, i, j, 2, 3); });
  checkSet({"shared_prefix<q = %sq, k = %sk, shared = %s, all = %a>",
            args + ", %s: i32, %a: index",
            {sq, sk},
            {integerParam(-1), integerParam(1)}},
           [&](int64_t b, int64_t, int64_t i, int64_t j) { return member(b, i, j, -1, 1); });
  std::vector<double> s = {0, 1, 1, 2, 2};
  checkSet({"causal<top_left> and shared_prefix<%s, all = 2>",
            ", %s: tensor<?xi32>",
            {Tensor(Format::I32, {5}, s)},
            {},
            5,
            5},
           [&](int64_t, int64_t, int64_t i, int64_t j) { return j <= i && (s[i] == s[j] || s[j] == 0 || s[i] == 2); });
}

} // namespace
