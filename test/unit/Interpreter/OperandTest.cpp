// What q, k and v are made of: parts, slices, regions, 8-bit floats, a bilinear tensor, a dot region; all against sums
// written out here.
#include "Harness.h"

using namespace attn::test;
using attn::interpreter::roundTo;

namespace {

/// Two heads, in dimensions b, h | i | j | c.., e; `body` is from `q =` to the types.
struct Case {
  std::string args, dims, body, types, result = "tensor<?x?x?x2xf32>";
  std::vector<Tensor> tensors;

  std::string text() const {
    return "attn.kernel @f(" + args + ") -> (o: " + result + ", lse: tensor<?x?x?x" + element() +
           ">) {\n  %o, %lse = attn.attend dims(b, h | i | j | " + dims + ")\n    " + body +
           "\n    outputs o[b, h, i, e], lse[b, h, i]\n    : (" + types + ") -> (" + result + ", tensor<?x?x?x" +
           element() + ">)\n  attn.return %o, %lse : " + result + ", tensor<?x?x?x" + element() + ">\n}\n";
  }
  std::string element() const { return result.find("f64") == std::string::npos ? "f32" : "f64"; }

  /// All rows against `score` and `value`; a key for which `present` does not hold has none.
  using At = std::function<double(int64_t b, int64_t h, int64_t i, int64_t j, int64_t e)>;
  void expect(int64_t B, int64_t I, int64_t J, At score, At value, double plain = 2e-6,
              std::function<bool(int64_t b, int64_t i, int64_t j)> present = nullptr) const {
    Program program(text());
    auto interpreter = Call{tensors}.create(program);
    ASSERT_EQ(interpreter->extents()[2], I);
    ASSERT_EQ(interpreter->extents()[3], J);
    for (int64_t b = 0; b < B; ++b)
      for (int64_t h = 0; h < 2; ++h)
        for (int64_t i = 0; i < I; ++i) {
          std::vector<Pair> pairs;
          for (int64_t j = 0; j < J; ++j)
            if (!present || present(b, i, j))
              pairs.push_back({score(b, h, i, j, 0), [=](int64_t e) { return value(b, h, i, j, e); }});
          const Expected want = softmaxRow(pairs, 2);
          for (Precision precision : {Precision::Double, Precision::Plain}) {
            const RowResult got = interpreter->row({b, h}, i, precision);
            expectRow(got, want, precision == Precision::Plain ? plain : 1e-13, "row");
            EXPECT_EQ(got.visible, (int64_t)pairs.size());
            EXPECT_FALSE(got.badIndex);
          }
        }
  }
};

Tensor f32(std::vector<int64_t> shape, unsigned seed) { return Tensor::random(Format::F32, std::move(shape), seed); }

TEST(Operand, PartsAndSlices) {
  Case c{"%qn: tensor<?x?x?x3xf32>, %qr: tensor<?x?x?x2xbf16>, %lat: tensor<?x?x8xf32>", "c = 3, r = 2, e = 2",
         "q = %qn[b, h, i, c] | %qr[b, h, i, r] k = %lat[b, j, c] | %lat[b, j, r + 5] v = %lat[b, j, e + 1]",
         "tensor<?x?x?x3xf32>, tensor<?x?x8xf32>, tensor<?x?x8xf32>, tensor<?x?x?x2xbf16>, tensor<?x?x8xf32>"};
  c.tensors = {f32({2, 2, 3, 3}, 1), Tensor::random(Format::BF16, {2, 2, 3, 2}, 2), f32({2, 4, 8}, 3)};
  c.expect(
      2, 3, 4,
      [&](int64_t b, int64_t h, int64_t i, int64_t j, int64_t) {
        double s = 0;
        for (int64_t n = 0; n < 3; ++n)
          s += c.tensors[0]({b, h, i, n}) * c.tensors[2]({b, j, n});
        for (int64_t n = 0; n < 2; ++n)
          s += c.tensors[1]({b, h, i, n}) * c.tensors[2]({b, j, n + 5});
        return s / std::sqrt(5.0); // by the extents of both parts
      },
      [&](int64_t b, int64_t, int64_t, int64_t j, int64_t e) { return c.tensors[2]({b, j, e + 1}); });
}

TEST(Operand, IntegersByATokensScale) {
  Case c{"%q: tensor<?x?x?x2xf32>, %k: tensor<?x?x?x2xi8>, %v: tensor<?x?x?x2xi32>, %s: tensor<?x?x?xf32>", "c, e",
         R"(q = %q[b, h, i, c]
    k = %k[b, h, j, c] as (%x : i8, b = %b, h = %h, j = %j) {
      %f = arith.sitofp %x : i8 to f32
      %l = attn.load %s[%b, %h, %j] : tensor<?x?x?xf32>
      %y = arith.mulf %f, %l : f32
      attn.yield %y : f32
    }
    v = %v[b, h, j, e] as (%x : i32, e = %e) {
      %n = arith.index_cast %e : index to i32
      %m = arith.muli %x, %n : i32
      %f = arith.sitofp %m : i32 to f32
      attn.yield %f : f32
    })",
         "tensor<?x?x?x2xf32>, tensor<?x?x?x2xi8>, tensor<?x?x?x2xi32>"};
  c.tensors = {f32({1, 2, 2, 2}, 1), Tensor(Format::I8, {1, 2, 3, 2}, {-128, 127, 5, -7, 0, 99, 1, 2, -3, 4, 5, -6}),
               Tensor(Format::I32, {1, 2, 3, 2}, {1, -2, 3, 4, 5, 6, -7, 8, 9, -10, 11, 12}), f32({1, 2, 3}, 4)};
  c.expect(
      1, 2, 3,
      [&](int64_t b, int64_t h, int64_t i, int64_t j, int64_t) {
        double s = 0;
        for (int64_t n = 0; n < 2; ++n)
          s += c.tensors[0]({b, h, i, n}) * c.tensors[1]({b, h, j, n}) * c.tensors[3]({b, h, j});
        return s / std::sqrt(2.0);
      },
      [&](int64_t b, int64_t h, int64_t, int64_t j, int64_t e) { return e * c.tensors[2]({b, h, j, e}); }, 4e-5);
}

TEST(Operand, TwoInAByte) {
  Case c{"%q: tensor<?x?x?x4xf32>, %k: tensor<?x?x?x2xi8>, %v: tensor<?x?x?x1xf32>", "c = 4, e = 2",
         R"(q = %q[b, h, i, c]
    k = %k[b, h, j, c floordiv 2] as (%x : i8, c = %c) {
      %two = arith.constant 2 : index
      %four = arith.constant 4 : i8
      %odd = arith.remui %c, %two : index
      %n = arith.index_cast %odd : index to i8
      %high = arith.muli %n, %four : i8
      %left = arith.subi %four, %high : i8
      %up = arith.shli %x, %left : i8
      %down = arith.shrsi %up, %four : i8
      %f = arith.sitofp %down : i8 to f32
      attn.yield %f : f32
    }
    v = %v[b, h, j, e floordiv 2])",
         "tensor<?x?x?x4xf32>, tensor<?x?x?x2xi8>, tensor<?x?x?x1xf32>"};
  const int64_t nibbles[2][2][4] = {{{-8, 7, 0, -1}, {1, 2, 3, -4}}, {{5, -6, 7, -8}, {-1, 0, 1, 2}}}; // h, j, c
  std::vector<double> bytes;
  for (auto &head : nibbles)
    for (auto &key : head)
      for (int64_t c = 0; c < 4; c += 2)
        bytes.push_back((int8_t)((key[c] & 15) | (key[c + 1] & 15) << 4));
  c.tensors = {f32({1, 2, 2, 4}, 1), Tensor(Format::I8, {1, 2, 2, 2}, bytes), f32({1, 2, 2, 1}, 2)};
  c.expect(
      1, 2, 2,
      [&](int64_t b, int64_t h, int64_t i, int64_t j, int64_t) {
        double s = 0;
        for (int64_t n = 0; n < 4; ++n)
          s += c.tensors[0]({b, h, i, n}) * nibbles[h][j][n];
        return s / 2;
      },
      [&](int64_t b, int64_t h, int64_t, int64_t j, int64_t) { return c.tensors[2]({b, h, j, 0}); }, 4e-5);
}

/// Pages of two keys; the table alone says that there are six. `lengths` may cut the last.
Case paged(std::vector<double> pages) {
  std::string load = R"( as (%page : i32, h = %h, j = %j, NAME = %c) {
      %two = arith.constant 2 : index
      %n = arith.remui %j, %two : index
      %p = arith.index_cast %page : i32 to index
      %y = attn.load %pool[%p, %n, %h, %c] : tensor<?x2x?x2xf32>
      attn.yield %y : f32
    })";
  auto named = [&](const char *name) { return std::string(load).replace(load.find("NAME"), 4, name); };
  Case c{"%q: tensor<?x?x?x2xf32>, %table: tensor<?x?xi32>, %pool: tensor<?x2x?x2xf32>", "c = 2, e = 2",
         "q = %q[b, h, i, c] k = %table[b, j floordiv 2]" + named("c") + " v = %table[b, j floordiv 2]" + named("e"),
         "tensor<?x?x?x2xf32>, tensor<?x?xi32>, tensor<?x?xi32>"};
  c.tensors = {f32({1, 2, 2, 2}, 1), Tensor(Format::I32, {1, 3}, pages), f32({4, 2, 2, 2}, 2)};
  return c;
}

Case::At pagedScore(const Case &c) {
  return [&](int64_t b, int64_t h, int64_t i, int64_t j, int64_t) {
    double s = 0;
    for (int64_t n = 0; n < 2; ++n)
      s += c.tensors[0]({b, h, i, n}) * c.tensors[2]({(int64_t)c.tensors[1]({b, j / 2}), j % 2, h, n});
    return s / std::sqrt(2.0);
  };
}

Case::At pagedValue(const Case &c) {
  return [&](int64_t b, int64_t h, int64_t, int64_t j, int64_t e) {
    return c.tensors[2]({(int64_t)c.tensors[1]({b, j / 2}), j % 2, h, e});
  };
}

TEST(Operand, Pages) {
  Case c = paged({3, 0, 2});
  c.expect(1, 2, 6, pagedScore(c), pagedValue(c));
}

TEST(Operand, APageOfMinusOneHasNoKeys) {
  Case c = paged({3, -1, 2});
  c.expect(1, 2, 6, pagedScore(c), pagedValue(c), 2e-6, [](int64_t, int64_t, int64_t j) { return j / 2 != 1; });
  Case none = paged({-1, -1, -1});
  none.expect(1, 2, 6, nullptr, nullptr, 0, [](int64_t, int64_t, int64_t) { return false; });
}

TEST(Operand, ABadPageIsReportedWhereItIsSeen) {
  for (double page : {4.0, -2.0}) {
    Case c = paged({3, page, 2});
    Program program(c.text());
    auto interpreter = Call{c.tensors}.create(program);
    std::vector<Pair> pairs;
    for (int64_t j : {0, 1, 4, 5})
      pairs.push_back({pagedScore(c)(0, 1, 0, j, 0), [=, &c](int64_t e) { return pagedValue(c)(0, 1, 0, j, e); }});
    const RowResult got = interpreter->row({0, 1}, 0, Precision::Double);
    expectRow(got, softmaxRow(pairs, 2), 1e-13, "row");
    EXPECT_TRUE(got.badIndex);
    EXPECT_EQ(got.visible, 4);
    c.body += " set = prefix<2>"; // nobody sees it
    Program masked(c.text());
    const RowResult good = Call{c.tensors}.create(masked)->row({0, 1}, 0, Precision::Double);
    EXPECT_FALSE(good.badIndex);
    EXPECT_EQ(good.visible, 2);
  }
}

/// Queries turned by their position: the element itself and its partner.
const char *const kTurned = R"(q = %q[b, h, i, c] as (%x, b = %b, h = %h, i = %i, c = %c) {
      %one = arith.constant 1 : index
      %two = arith.constant 2 : index
      %p = arith.xori %c, %one : index
      %odd = arith.remui %c, %two : index
      %isOdd = arith.cmpi eq, %odd, %one : index
      %y = attn.load %q[%b, %h, %i, %p] : tensor<?x?x?x2xf32>
      %minus = arith.negf %y : f32
      %z = arith.select %isOdd, %y, %minus : f32
      %a = attn.load %angle[%i] : tensor<?xf32>
      %cos = math.cos %a : f32
      %sin = math.sin %a : f32
      %u = arith.mulf %x, %cos : f32
      %v = arith.mulf %z, %sin : f32
      %w = arith.addf %u, %v : f32
      attn.yield %w : f32
    } k = %k[b, j, c] v = %k[b, j, e])";

TEST(Operand, TurnedQueries) {
  Case c{"%q: tensor<?x?x?x2xf32>, %k: tensor<?x?x2xf32>, %angle: tensor<?xf32>", "c, e", kTurned,
         "tensor<?x?x?x2xf32>, tensor<?x?x2xf32>, tensor<?x?x2xf32>"};
  c.tensors = {f32({2, 2, 3, 2}, 1), f32({2, 3, 2}, 2), f32({3}, 3)};
  c.expect(
      2, 3, 3,
      [&](int64_t b, int64_t h, int64_t i, int64_t j, int64_t) {
        const double x = c.tensors[0]({b, h, i, 0}), y = c.tensors[0]({b, h, i, 1}), a = c.tensors[2]({i});
        const double s = (x * std::cos(a) - y * std::sin(a)) * c.tensors[1]({b, j, 0}) +
                         (y * std::cos(a) + x * std::sin(a)) * c.tensors[1]({b, j, 1});
        return s / std::sqrt(2.0);
      },
      [&](int64_t b, int64_t, int64_t, int64_t j, int64_t e) { return c.tensors[1]({b, j, e}); });
}

TEST(Operand, AQueryWithABadIndexSeesNothing) {
  std::string body = kTurned;
  body.replace(body.find("%angle[%i]"), 10, "%angle[%at]");
  body.insert(body.find("%a = attn.load"),
              "%where = attn.load %list[%i] : tensor<?xi32> %at = arith.index_cast %where : i32 to index ");
  Case c{"%q: tensor<?x?x?x2xf32>, %k: tensor<?x?x2xf32>, %angle: tensor<?xf32>, %list: tensor<?xi32>", "c, e", body,
         "tensor<?x?x?x2xf32>, tensor<?x?x2xf32>, tensor<?x?x2xf32>"};
  c.tensors = {f32({1, 2, 3, 2}, 1), f32({1, 2, 2}, 2), f32({3}, 3), Tensor(Format::I32, {3}, {1, 3, -1})};
  Program program(c.text());
  auto interpreter = Call{c.tensors}.create(program);
  const bool bad[] = {false, true, false};
  for (int64_t i = 0; i < 3; ++i) {
    const RowResult got = interpreter->row({0, 0}, i, Precision::Plain);
    EXPECT_EQ(got.badIndex, bad[i]) << i;
    EXPECT_EQ(got.visible, i ? 0 : 2) << i;
    if (i)
      expectRow(got, softmaxRow({}, 2), 0, "empty");
  }
}

TEST(Operand, Bilinear) {
  Case c{"%q: tensor<?x?x?x3xf32>, %k: tensor<?x?x?x2xf32>, %g: tensor<?x2x3xf32>", "c, r, e",
         "q = %q[b, h, i, c] k = %k[b, h, j, r] v = %k[b, h, j, e] bilinear = %g[h, r, c]",
         "tensor<?x?x?x3xf32>, tensor<?x?x?x2xf32>, tensor<?x?x?x2xf32>, tensor<?x2x3xf32>"};
  c.tensors = {f32({1, 2, 2, 3}, 1), f32({1, 2, 4, 2}, 2), f32({2, 2, 3}, 3)};
  c.expect(
      1, 2, 4,
      [&](int64_t b, int64_t h, int64_t i, int64_t j, int64_t) {
        double s = 0;
        for (int64_t n = 0; n < 3; ++n)
          for (int64_t r = 0; r < 2; ++r)
            s += c.tensors[0]({b, h, i, n}) * c.tensors[2]({h, r, n}) * c.tensors[1]({b, h, j, r});
        return s / std::sqrt(2.0); // by the extent of k's feature
      },
      [&](int64_t b, int64_t h, int64_t, int64_t j, int64_t e) { return c.tensors[1]({b, h, j, e}); });
}

const char *const kAdditive = R"(q = %q[b, h, i, c] k = %k[b, h, j, c] v = %k[b, h, j, e]
    dot(%x, %y, h = %h, c = %c) {
      %s = arith.addf %x, %y : f32
      %t = math.tanh %s : f32
      %u = attn.load %w[%h, %c] : tensor<?x?xf32>
      %z = arith.mulf %u, %t : f32
      attn.yield %z : f32
    })";

TEST(Operand, DotRegion) {
  Case c{"%q: tensor<?x?x?x2xf32>, %k: tensor<?x?x?x2xf32>, %w: tensor<?x?xf32>", "c, e", kAdditive,
         "tensor<?x?x?x2xf32>, tensor<?x?x?x2xf32>, tensor<?x?x?x2xf32>"};
  c.tensors = {f32({1, 2, 2, 2}, 1), f32({1, 2, 4, 2}, 2), f32({2, 2}, 3)};
  Case::At score = [&](int64_t b, int64_t h, int64_t i, int64_t j, int64_t) { // not scaled
    double s = 0;
    for (int64_t n = 0; n < 2; ++n)
      s += c.tensors[2]({h, n}) * std::tanh(c.tensors[0]({b, h, i, n}) + c.tensors[1]({b, h, j, n}));
    return s;
  };
  Case::At value = [&](int64_t b, int64_t h, int64_t, int64_t j, int64_t e) { return c.tensors[1]({b, h, j, e}); };
  c.expect(1, 2, 4, score, value);
  c.body += " scale = 3.0";
  c.expect(
      1, 2, 4, [&](int64_t b, int64_t h, int64_t i, int64_t j, int64_t e) { return 3 * score(b, h, i, j, e); }, value);
}

TEST(Operand, ABadIndexOfTheDotRegionTakesThePair) {
  std::string body = kAdditive;
  body.replace(body.find("%w[%h, %c]"), 10, "%w[%at, %c]");
  body.insert(body.find("%u = attn.load"),
              "%two = arith.constant 1.5 : f32 %big = arith.cmpf ogt, %y, %two : f32 "
              "%n = arith.extui %big : i1 to i32 %at = arith.index_cast %n : i32 to index ");
  Case c{"%q: tensor<?x?x?x2xf32>, %k: tensor<?x?x?x2xf32>, %w: tensor<?x?xf32>", "c, e", body,
         "tensor<?x?x?x2xf32>, tensor<?x?x?x2xf32>, tensor<?x?x?x2xf32>"};
  c.tensors = {f32({1, 2, 1, 2}, 1), f32({1, 2, 3, 2}, 2), f32({1, 2}, 3)};
  c.tensors[1].set({0, 0, 1, 1}, 2); // key 1 of head 0
  Program program(c.text());
  auto interpreter = Call{c.tensors}.create(program);
  const RowResult bad = interpreter->row({0, 0}, 0, Precision::Double),
                  good = interpreter->row({0, 1}, 0, Precision::Double);
  EXPECT_TRUE(bad.badIndex);
  EXPECT_EQ(bad.visible, 2);
  EXPECT_FALSE(good.badIndex);
  EXPECT_EQ(good.visible, 3);
}

TEST(Operand, ByteFloats) {
  Case c{"%q: tensor<?x?x?x2xf8E5M2>, %k: tensor<?x?x?x2xf8E4M3FN>, %v: tensor<?x?x2xf8E5M2>", "c, e",
         R"(q = %q[b, h, i, c] k = %k[b, h, j, c] as (%x) {
      %half = arith.constant 0.5 : f32
      %y = arith.mulf %x, %half : f32
      attn.yield %y : f32
    } v = %v[b, j, e])",
         "tensor<?x?x?x2xf8E5M2>, tensor<?x?x?x2xf8E4M3FN>, tensor<?x?x2xf8E5M2>"};
  c.tensors = {Tensor(Format::F8E5M2, {1, 2, 1, 2}, {1.25, -3, 0.5, 2}),
               Tensor(Format::F8E4M3FN, {1, 2, 2, 2}, {1.125, 3.75, -0.875, 2, 4, -1.5, 0.0625, 1}),
               Tensor(Format::F8E5M2, {1, 2, 2}, {1.75, -6, 0.625, 14})};
  c.expect(
      1, 1, 2,
      [&](int64_t b, int64_t h, int64_t i, int64_t j, int64_t) {
        double s = 0;
        for (int64_t n = 0; n < 2; ++n)
          s += c.tensors[0]({b, h, i, n}) * c.tensors[1]({b, h, j, n}) / 2;
        return s / std::sqrt(2.0);
      },
      [&](int64_t b, int64_t, int64_t, int64_t j, int64_t e) { return c.tensors[2]({b, j, e}); });
}

TEST(Operand, OneF64OperandMakesScoresOfF64) {
  Case c{"%q: tensor<?x?x?x1xf64>, %k: tensor<?x?x?x1xf32>, %v: tensor<?x?x?x2xbf16>", "c, e",
         "q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]",
         "tensor<?x?x?x1xf64>, tensor<?x?x?x1xf32>, tensor<?x?x?x2xbf16>", "tensor<?x?x?x2xf64>"};
  c.tensors = {Tensor::random(Format::F64, {1, 2, 2, 1}, 1), f32({1, 2, 3, 1}, 2),
               Tensor::random(Format::BF16, {1, 2, 3, 2}, 3)};
  c.expect(
      1, 2, 3,
      [&](int64_t b, int64_t h, int64_t i, int64_t j, int64_t) {
        return c.tensors[0]({b, h, i, 0}) * c.tensors[1]({b, h, j, 0});
      },
      [&](int64_t b, int64_t h, int64_t, int64_t j, int64_t e) { return c.tensors[2]({b, h, j, e}); }, 1e-2);
}

/// One rounding for each op of a region, then one for the product.
TEST(Operand, PlainRoundsEveryOp) {
  Case c{"%q: tensor<?x?x?x1xf32>, %k: tensor<?x?x?x1xi32>, %v: tensor<?x?x?x2xf32>", "c, e",
         R"(q = %q[b, h, i, c] k = %k[b, h, j, c] as (%x : i32) {
      %f = arith.sitofp %x : i32 to f32
      %tenth = arith.constant 0.1 : f32
      %y = arith.mulf %f, %tenth : f32
      %z = arith.addf %y, %tenth : f32
      attn.yield %z : f32
    } v = %v[b, h, j, e])",
         "tensor<?x?x?x1xf32>, tensor<?x?x?x1xi32>, tensor<?x?x?x2xf32>"};
  c.tensors = {Tensor(Format::F32, {1, 2, 1, 1}, {1.7f, 1}), Tensor(Format::I32, {1, 2, 1, 1}, {16777217, 3}),
               f32({1, 2, 1, 2}, 3)};
  Program program(c.text());
  auto interpreter = Call{c.tensors}.create(program);
  float k = (float)16777217 * 0.1f;
  k = k + 0.1f;
  EXPECT_EQ(interpreter->row({0, 0}, 0, Precision::Plain).outputs["lse"][0], 1.7f * k);
  EXPECT_NEAR(interpreter->row({0, 0}, 0, Precision::Double).outputs["lse"][0],
              (double)1.7f * (16777217 * (double)0.1f + (double)0.1f), 1e-8);
}

TEST(Operand, WhatTheRuntimeRefuses) {
  Case c = paged({3, 0, 2});
  auto message = [&](std::vector<Tensor> tensors) {
    Program program(c.text());
    auto made = Call{std::move(tensors)}.tryCreate(program);
    return made ? std::string() : llvm::toString(made.takeError());
  };
  EXPECT_EQ(message(c.tensors), "");
  c.body += " set = same_segment<q = %sq, k = %sk>"; // says that there are 5 keys, which 3 pages hold, and 4 not
  c.args += ", %sq: tensor<?xi32>, %sk: tensor<?xi32>";
  Tensor sq(Format::I32, {2}, {0, 0}), sk(Format::I32, {5}, {0, 0, 0, 0, 0});
  auto with = c.tensors;
  with.insert(with.end(), {sq, sk});
  EXPECT_EQ(message(with), "");
  with[1] = Tensor(Format::I32, {1, 4}, {0, 0, 0, 0});
  EXPECT_EQ(message(with), "ATTN_E_SHAPE: axis 1 of 'table' has extent 4, expected 3 for 'j'");
}

} // namespace
