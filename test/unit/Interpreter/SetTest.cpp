// Set algebra and the forms of the named sets that the gallery does not show.
#include "Harness.h"

using namespace attn::test;

namespace {

void check(const std::string &set, Member member, std::string args = "", std::vector<Tensor> captured = {},
           std::vector<attn_scalar> params = {}, int64_t I = 5, int64_t J = 8) {
  checkSet({set, args, std::move(captured), std::move(params), I, J}, std::move(member));
}

TEST(Set, Algebra) {
  check("full", [](int64_t, int64_t, int64_t, int64_t) { return true; });
  check("empty", [](int64_t, int64_t, int64_t, int64_t) { return false; });
  check("not causal<top_left>", [](int64_t, int64_t, int64_t i, int64_t j) { return j > i; });
  check("causal<top_left> minus prefix<2>", [](int64_t, int64_t, int64_t i, int64_t j) { return j <= i && j >= 2; });
  check("prefix<1> or causal<bottom_right> and not (window<top_left, left = 1, right = 1> or empty)",
        [](int64_t, int64_t, int64_t i, int64_t j) { return j < 1 || (j <= i + 3 && std::abs(i - j) > 1); });
}

TEST(Set, Window) {
  check("window<top_left, left = 1>", [](int64_t, int64_t, int64_t i, int64_t j) { return i - 1 <= j; });
  check("window<bottom_right, right = 2>", [](int64_t, int64_t, int64_t i, int64_t j) { return j <= i + 3 + 2; });
  check("window<bottom_right, left = %l, right = %r>",
        [](int64_t, int64_t, int64_t i, int64_t j) { return i + 3 - 2 <= j && j <= i + 3 - 1; }, ", %l: i32, %r: i64",
        {}, {integerParam(2), integerParam(-1)});
  check("window<bottom_right, left = 0, right = 1, q = %ql, k = %kl>",
        [](int64_t b, int64_t, int64_t i, int64_t j) {
          int64_t shift = b ? 8 - 1 : 0 - 5;
          return i + shift <= j && j <= i + shift + 1;
        },
        ", %ql: tensor<?xi64>, %kl: tensor<?xi64>",
        {Tensor(Format::I64, {2}, {5, 1}), Tensor(Format::I64, {2}, {0, 8})});
}

TEST(Set, LengthsAndPrefix) {
  Tensor q(Format::I32, {2}, {5, 2}), k(Format::I32, {2}, {0, 8});
  check("lengths<q = %x>", [](int64_t b, int64_t, int64_t i, int64_t) { return i < (b ? 2 : 5); },
        ", %x: tensor<?xi32>", {q});
  check("lengths<k = %x>", [](int64_t b, int64_t, int64_t, int64_t j) { return j < (b ? 8 : 0); },
        ", %x: tensor<?xi32>", {k});
  check("prefix<%p>", [](int64_t, int64_t, int64_t, int64_t j) { return j < 3; }, ", %p: i32", {}, {integerParam(3)});
  check("prefix<%p>", [](int64_t b, int64_t, int64_t, int64_t j) { return j < (b ? 100 : -1); }, ", %p: tensor<?xi64>",
        {Tensor(Format::I64, {2}, {-1, 100})});
}

TEST(Set, Segments) {
  std::vector<double> q = {0, 0, 1, 2, 2, 3, 3, 0, 0, 0}, k = {0, 1, 1, 2, 2, 2, 5, 5, 3, 3, 3, 3, 0, 0, 0, 0};
  check("same_segment<q = %sq, k = %sk>",
        [&](int64_t b, int64_t, int64_t i, int64_t j) { return q[b * 5 + i] == k[b * 8 + j]; },
        ", %sq: tensor<?x?xi32>, %sk: tensor<?x?xi64>",
        {Tensor(Format::I32, {2, 5}, q), Tensor(Format::I64, {2, 8}, k)});
  std::vector<double> s = {4, 4, 2, 2, 4};
  check(
      "same_segment<%s>", [&](int64_t, int64_t, int64_t i, int64_t j) { return s[i] == s[j]; }, ", %s: tensor<?xi32>",
      {Tensor(Format::I32, {5}, s)}, {}, 5, 5);
}

TEST(Set, Masks) {
  for (Format f :
       {Format::I1, Format::I8, Format::I32, Format::I64, Format::F32, Format::F64, Format::F16, Format::BF16}) {
    std::vector<double> m(2 * 2 * 5 * 8);
    for (size_t n = 0; n < m.size(); ++n)
      m[n] = n % 3 ? (n % 2 ? -1 : 1) : 0;
    check("mask<%m[h, b, i, j]>",
          [&](int64_t b, int64_t h, int64_t i, int64_t j) { return m[((h * 2 + b) * 5 + i) * 8 + j] != 0; },
          ", %m: tensor<?x?x?x?x" + attn::interpreter::formatName(f).str() + ">", {Tensor(f, {2, 2, 5, 8}, m)});
  }
  Tensor nan(Format::F32, {8}, {0, kNaN, 0, 0, 0, 0, 0, 1e-40});
  check("mask<%m[j]>", [](int64_t, int64_t, int64_t, int64_t j) { return j == 1 || j == 7; }, ", %m: tensor<?xf32>",
        {nan});
}

TEST(Set, Where) {
  check("where(i = %i, j = %j) { %s = arith.addi %i, %j : index %three = arith.constant 3 : index %r = arith.remui %s, "
        "%three : index "
        "%z = arith.constant 0 : index %p = arith.cmpi eq, %r, %z : index attn.yield %p : i1 }",
        [](int64_t, int64_t, int64_t i, int64_t j) { return (i + j) % 3 == 0; });
  check("where(b = %b, h = %h, j = %j) { %x = attn.load %t[%b, %h] : tensor<?x?xi32> %n = arith.index_cast %x : i32 to "
        "index "
        "%p = arith.cmpi slt, %j, %n : index attn.yield %p : i1 } and not where(i = %i) { %one = arith.constant 1 : "
        "index "
        "%p = arith.cmpi eq, %i, %one : index attn.yield %p : i1 }",
        [](int64_t b, int64_t h, int64_t i, int64_t j) { return j < b * 2 + h && i != 1; }, ", %t: tensor<?x?xi32>",
        {Tensor(Format::I32, {2, 2}, {0, 1, 2, 3})});
}

TEST(Set, UnalignedLengthsOfZeroExtents) {
  Program program(simpleKernel(1, "set = causal<bottom_right>"));
  auto interpreter = Call{
      {Tensor(Format::F32, {1, 1, 2, 1}, {1, 1}), Tensor(Format::F32, {1, 1, 0, 1}, {}),
       Tensor(Format::F32, {1, 1, 0, 1},
              {})}}.create(program);
  EXPECT_EQ(interpreter->row({0, 0}, 1, Precision::Double).outputs["lse"][0], -kInf);
}

} // namespace
