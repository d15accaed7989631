// attn.map: elements, reductions, types, layouts, indices, and what is out of bounds.
#include "Steps.h"

#include <functional>
#include <numeric>

using namespace attn;
using namespace attn::test;

namespace {

/// A kernel that is the map `map`, of tensors `in` to `out`.
std::string kernelOf(const std::string &in, const std::string &map, const std::string &out) {
  return "attn.kernel @k(" + in + ") -> (y: " + out + ") {\n  %y = attn.map " + map + "\n  attn.return %y : " + out +
         "\n}\n";
}

Tensor sequence(Element element, Index shape, const MemoryLayout &layout = {}) {
  Tensor t(element, shape, layout);
  int64_t n = 0;
  t.fill([&](auto) { return double(n++ % 251) - 100; });
  return t;
}

const std::string kExp = R"(dims(b, i, e) (%x = %xs[b, i, e], %g = %gs[b, i], %c = %cs[b, 2, e]) {
    %p = math.exp %x : f32
    %q = arith.divf %p, %g : f32
    %l = math.log %p : f32
    %t = math.tanh %c : f32
    %r = arith.addf %q, %t : f32
    %s = arith.addf %r, %l : f32
    attn.yield %s : f32
  } -> [e, b, i] : (tensor<?x?x?xf32>, tensor<?x?xf32>, tensor<?x3x?xf32>) -> tensor<?x?x?xf32>)";
const std::string kExpKernel =
    kernelOf("%xs: tensor<?x?x?xf32>, %gs: tensor<?x?xf32>, %cs: tensor<?x3x?xf32>", kExp, "tensor<?x?x?xf32>");

TEST(Map, Elements) {
  StepCall c(kExpKernel);
  for (auto [B, I, E] : {std::array<int64_t, 3>{2, 19, 7}, {1, 1, 1}, {3, 8, 16}, {1, 2500, 2}, {2, 1030, 5}}) {
    Tensor x = Tensor::normal(Element::F32, {B, I, E}, 1), g = Tensor::normal(Element::F32, {B, I}, 2),
           t = Tensor::normal(Element::F32, {B, 3, E}, 3);
    c.args = {x, g, t, Tensor(Element::F32, {E, B, I})};
    ASSERT_EQ(c.run(), ATTN_OK);
    c.args[3].each([&](llvm::ArrayRef<int64_t> at) {
      const Index from = {at[1], at[2], at[0]};
      const double q = std::exp(x.get(from)) / g.get({at[1], at[2]}), h = std::tanh(t.get({at[1], 2, at[0]}));
      const double want = q + h + x.get(from);
      ASSERT_NEAR(c.args[3].get(at), want, 3e-6 * (std::fabs(q) + 2 + std::fabs(want)));
    });
    // The same bits from any layout, by any number of threads.
    const std::vector<uint64_t> dense = c.args[3].elements();
    for (int threads : {1, 2, 3})
      for (const MemoryLayout &layout :
           {MemoryLayout{{0, 1, 2}}, MemoryLayout{{2, 1, 0}}, MemoryLayout{{1, 2, 0}, {1, 0, 3}, {}, 1, 1},
            MemoryLayout{{0, 1, 2}, {}, {}, 3}}) {
        Tensor moved(Element::F32, x.shape, layout), out(Element::F32, {E, B, I}, layout);
        moved.fill([&](auto at) { return x.get(at); });
        c.args = {moved, g, t, out};
        c.threads(threads);
        ASSERT_EQ(c.run(), ATTN_OK);
        EXPECT_EQ(c.args[3].elements(), dense) << "threads " << threads;
      }
  }
}

TEST(Map, ReductionsAscend) {
  for (const char *kind : {"sum", "max"}) {
    StepCall c(kernelOf("%xs: tensor<?x?x?x?xf32>",
                        std::string("dims(b, h, i, e) ") + kind +
                            "(i, b) (%x = %xs[b, h, i, e]) {\n    attn.yield %x : f32\n  } -> [h, e] : "
                            "(tensor<?x?x?x?xf32>) -> tensor<?x?xf32>",
                        "tensor<?x?xf32>"));
    for (auto [B, H, I, E] :
         {std::array<int64_t, 4>{3, 2, 50, 13}, {1, 1, 1, 1}, {2, 3, 0, 9}, {0, 3, 5, 9}, {2, 0, 5, 9}, {2, 5, 7, 0}}) {
      Tensor x = Tensor::normal(Element::F32, {B, H, I, E}, 8, 100);
      c.args = {x, Tensor(Element::F32, {H, E})};
      c.args[1].fill([](auto) { return 55; });
      c.threads(2);
      ASSERT_EQ(c.run(), ATTN_OK);
      c.args[1].each([&](llvm::ArrayRef<int64_t> at) {
        const bool max = kind[0] == 'm';
        float want = max ? -INFINITY : 0;
        for (int64_t i = 0; i < I; ++i)
          for (int64_t b = 0; b < B; ++b) {
            const float v = float(x.get({b, at[0], i, at[1]}));
            want = max ? std::max(want, v) : want + v;
          }
        EXPECT_EQ(c.args[1].get(at), want) << kind << " exactly, in this order";
      });
    }
  }
}

TEST(Map, NaNIsTheLargest) {
  StepCall c(
      kernelOf("%xs: tensor<?x?xf32>",
               "dims(i, e) max(i) (%x = %xs[i, e]) {\n    attn.yield %x : f32\n  } -> [e] : (tensor<?x?xf32>) -> "
               "tensor<?xf32>",
               "tensor<?xf32>"));
  Tensor x = Tensor::of(Element::F32, {3, 3}, {1, kNaN, 3, kNaN, 2, -kInf, 0, 5, kInf});
  c.args = {x, Tensor(Element::F32, {3})};
  ASSERT_EQ(c.run(), ATTN_OK);
  EXPECT_TRUE(std::isnan(c.args[1].get({0})) && std::isnan(c.args[1].get({1})));
  EXPECT_EQ(c.args[1].get({2}), kInf);
}

/// x + x in the type that arrives, stored in every float type: rounded once.
TEST(Map, FloatTypes) {
  const Element floats[] = {Element::F64, Element::F32, Element::F16, Element::BF16};
  for (Element from : floats)
    for (Element to : floats) {
      const std::string in = "tensor<?xELEMENT>", acc = from == Element::F64 ? "f64" : "f32";
      auto type = [](Element e) { return "tensor<?x" + std::string(nameOf(e)) + ">"; };
      StepCall c(kernelOf("%xs: " + type(from),
                          "dims(i) (%x : " + acc + " = %xs[i]) {\n    %y = arith.addf %x, %x : " + acc +
                              "\n    attn.yield %y : " + acc + "\n  } -> [i] : (" + type(from) + ") -> " + type(to),
                          type(to)));
      Tensor x(from, {4000});
      for (int64_t n = 0; n < 4000; ++n) // near ties of 16 bits, denormals of theirs, overflow
        x.set({n}, n % 5 == 0   ? std::ldexp(1 + (n % 64) * 0x1p-9 + (n % 3 - 1) * 0x1p-35, int(n % 40) - 20)
                   : n % 5 == 1 ? std::ldexp(-1 - (n % 1024) * 0x1p-12, int(n % 300) - 150)
                   : n % 5 == 2 ? (n % 2 ? 1 : -1) * (65519 / 2.0 + n % 7 * 0.25)
                                : (double(n) - 2000) * 0x1.0000001p-7);
      x.set({0}, kNaN), x.set({1}, kInf), x.set({2}, -kInf), x.set({3}, -0.0);
      Tensor want(to, {4000});
      want.fill([&](auto at) {
        const double v = x.get(at);
        return from == Element::F64 ? v + v : double(float(v) + float(v));
      });
      c.args = {x, Tensor(to, {4000})};
      ASSERT_EQ(c.run(), ATTN_OK);
      int64_t wrong = 0, first = -1;
      for (int64_t n = 0; n < 4000; ++n) {
        const bool nan = std::isnan(want.get({n}));
        if (nan ? !std::isnan(c.args[1].get({n})) : c.args[1].bits({n}) != want.bits({n})) {
          first = first < 0 ? n : first;
          ++wrong;
        }
      }
      EXPECT_EQ(wrong, 0) << nameOf(from) << " to " << nameOf(to) << ", first " << first << ": "
                          << (wrong ? c.args[1].get({first}) : 0) << ", expected " << (wrong ? want.get({first}) : 0);
    }
}

/// Floats to integers: towards zero, what is beyond is the nearest there is, NaN is 0.
TEST(Map, IntegersOfFloats) {
  struct {
    const char *op;
    const char *type;
    Element to;
    int64_t least, most;
  } const cases[] = {{"fptosi", "i8", Element::I8, -128, 127},
                     {"fptosi", "i32", Element::I32, INT32_MIN, INT32_MAX},
                     {"fptoui", "i8", Element::I8, 0, 255},
                     {"fptosi", "i16", Element::I32, -32768, 32767},
                     {"fptoui", "i16", Element::I32, 0, 65535}};
  for (Element from : {Element::F32, Element::F64})
    for (const auto &c : cases) {
      const std::string f = nameOf(from), wide = nameOf(c.to), type = c.type;
      const bool isSigned = c.least < 0;
      std::string extended = type == wide
                                 ? "    attn.yield %n : " + type + "\n"
                                 : std::string("    %w = arith.") + (isSigned ? "extsi" : "extui") + " %n : " + type +
                                       " to " + wide + "\n    attn.yield %w : " + wide + "\n";
      StepCall call(kernelOf("%xs: tensor<?x" + f + ">",
                             "dims(i) (%x : " + f + " = %xs[i]) {\n    %n = arith." + std::string(c.op) + " %x : " + f +
                                 " to " + type + "\n" + extended + "  } -> [i] : (tensor<?x" + f + ">) -> tensor<?x" +
                                 wide + ">",
                             "tensor<?x" + wide + ">"));
      std::vector<double> values{kNaN, kInf, -kInf, -0.0, 0.99, -0.99, 1e30, -1e30, 127.9, -128.9, 255.9, 65535.9, 200};
      for (int64_t n = 0; n < 400; ++n)
        values.push_back((double(n) - 200) * 0.75);
      for (int64_t n = 0; n < 64; ++n)
        values.push_back((n % 2 ? -1 : 1) * std::ldexp(1.25, int(n / 2)));
      Tensor x(from, {int64_t(values.size())});
      x.fill([&](auto at) { return values[size_t(at[0])]; });
      call.args = {x, Tensor(c.to, {int64_t(values.size())})};
      ASSERT_EQ(call.run(), ATTN_OK);
      for (int64_t n = 0; n < int64_t(values.size()); ++n) {
        const double v = x.get({n});
        int64_t want = std::isnan(v) ? 0 : int64_t(std::clamp(std::trunc(v), double(c.least), double(c.most)));
        if (c.to == Element::I8)
          want = int8_t(want);
        EXPECT_EQ(int64_t(call.args[1].get({n})), want) << f << " " << v << " by " << c.op << " to " << type;
      }
    }
}

/// Integers of every width as operands; sums wrap in the result's own.
TEST(Map, Integers) {
  for (Element from : {Element::I8, Element::I32, Element::I64, Element::I1})
    for (Element to : {Element::I32, Element::I64}) {
      const std::string f = nameOf(from), t = nameOf(to), in = "tensor<?x?x" + f + ">", out = "tensor<?x" + t + ">";
      const std::string cast = from == to             ? ""
                               : from == Element::I64 ? "    %z = arith.trunci %x : i64 to i32\n"
                               : from == Element::I1  ? "    %z = arith.extui %x : i1 to " + t + "\n"
                                                      : "    %z = arith.extsi %x : " + f + " to " + t + "\n";
      const std::string v = from == to ? "%x" : "%z";
      StepCall c(kernelOf("%xs: " + in,
                          "dims(i, e) sum(i) (%x : " + f + " = %xs[i, e], i = %i) {\n" + cast +
                              "    %k = arith.constant 7 : " + t + "\n    %w = arith.muli " + v + ", %k : " + t +
                              "\n    attn.yield %w : " + t + "\n  } -> [e] : (" + in + ") -> " + out,
                          out));
      const Index shape = {70, 21};
      Tensor x(from, shape);
      x.fill([&](auto at) {
        const int64_t n = at[0] * 21 + at[1];
        return from == Element::I1   ? double(n % 3 == 0)
               : from == Element::I8 ? double(n % 255 - 127)
                                     : double(n * 3000007 % 2147483647);
      });
      c.args = {x, Tensor(to, {21})};
      ASSERT_EQ(c.run(), ATTN_OK);
      for (int64_t e = 0; e < 21; ++e) {
        uint64_t sum = 0;
        for (int64_t i = 0; i < 70; ++i)
          sum += 7 * uint64_t(int64_t(x.get({i, e})));
        EXPECT_EQ(c.args[1].bits({e}), to == Element::I32 ? sum & 0xffffffffu : sum) << f << " to " << t << ", " << e;
      }
    }
}

/// floordiv and constant indices, index arguments, scalars, a free dimension that only the result's type fixes.
TEST(Map, Indices) {
  StepCall c(
      kernelOf("%xs: tensor<?x?xf32>, %ts: tensor<2x?xi32>, %w: f32",
               R"(dims(h, i, n) (%x = %xs[h floordiv 3, i floordiv 4], %t : i32 = %ts[1, i], h = %h, i = %i, n = %n) {
    %a = arith.index_cast %h : index to i64
    %b = arith.index_cast %i : index to i64
    %c = arith.index_cast %n : index to i64
    %k = arith.constant 100 : i64
    %d = arith.muli %a, %k : i64
    %e = arith.addi %d, %b : i64
    %f = arith.muli %e, %k : i64
    %g = arith.addi %f, %c : i64
    %u = arith.sitofp %g : i64 to f32
    %v = arith.sitofp %t : i32 to f32
    %y = arith.addf %u, %v : f32
    %z = arith.mulf %x, %w : f32
    %r = arith.addf %y, %z : f32
    attn.yield %r : f32
  } -> [n, h, i] : (tensor<?x?xf32>, tensor<2x?xi32>) -> tensor<5x7x?xf32>)",
               "tensor<5x7x?xf32>"));
  for (int64_t I : {1, 4, 30, 33}) {
    Tensor x = Tensor::normal(Element::F32, {3, (I + 3) / 4}, 3), t = sequence(Element::I32, {2, I});
    c.args = {x, t, Tensor(Element::F32, {5, 7, I})};
    c.params = {floatParam(2)};
    ASSERT_EQ(c.run(), ATTN_OK) << c.error.arg << " " << c.error.axis;
    c.args[2].each([&](llvm::ArrayRef<int64_t> at) {
      const float u = float((at[1] * 100 + at[2]) * 100 + at[0]), y = u + float(t.get({1, at[2]}));
      ASSERT_EQ(c.args[2].get(at), y + float(x.get({at[1] / 3, at[2] / 4})) * 2);
    });
    c.args[0] = Tensor::normal(Element::F32, {3, (I + 3) / 4 + 1}, 3);
    EXPECT_EQ(c.run(), ATTN_E_SHAPE);
    EXPECT_EQ(c.error.arg, 0);
    EXPECT_EQ(c.error.axis, 1);
  }
}

/// A captured read out of bounds: reported, and nothing is added.
TEST(Map, Captured) {
  const std::string load = R"(    %j = arith.index_cast %n : i32 to index
    %v = attn.load %table[%j, %e] : tensor<?x?xf32>
    attn.yield %v : f32
  })";
  const std::string in = "%ns: tensor<?x?xi32>, %table: tensor<?x?xf32>", types = " : (tensor<?x?xi32>) -> ";
  StepCall gather(
      kernelOf(in, "dims(i, e) (%n : i32 = %ns[i, e], e = %e) {\n" + load + " -> [i, e]" + types + "tensor<?x?xf32>",
               "tensor<?x?xf32>"));
  StepCall sum(
      kernelOf(in, "dims(i, e) sum(i) (%n : i32 = %ns[i, e], e = %e) {\n" + load + " -> [e]" + types + "tensor<?xf32>",
               "tensor<?xf32>"));
  const int64_t I = 9, E = 11, rows = 6;
  Tensor table = Tensor::normal(Element::F32, {rows, E}, 4);
  for (bool bad : {false, true}) {
    Tensor n(Element::I32, {I, E});
    n.fill([&](auto at) { return double((at[0] * 5 + at[1]) % rows); });
    if (bad) {
      n.set({3, 10}, 6);
      n.set({7, 2}, -1);
    }
    auto value = [&](int64_t i, int64_t e) {
      const int64_t row = int64_t(n.get({i, e}));
      return row < 0 || row >= rows ? 0.0f : float(table.get({row, e}));
    };
    gather.args = {n, table, Tensor(Element::F32, {I, E})};
    gather.args[2].fill([](auto) { return 5; });
    EXPECT_EQ(gather.run(), bad ? ATTN_E_INDEX : ATTN_OK);
    if (bad) {
      EXPECT_EQ(gather.error.arg, 1);
      EXPECT_EQ(gather.error.axis, 0);
      EXPECT_EQ(gather.error.expected, rows);
      EXPECT_EQ(gather.error.found, 6);
    }
    gather.args[2].each([&](llvm::ArrayRef<int64_t> at) { EXPECT_EQ(gather.args[2].get(at), value(at[0], at[1])); });
    sum.args = {n, table, Tensor(Element::F32, {E})};
    EXPECT_EQ(sum.run(), bad ? ATTN_E_INDEX : ATTN_OK);
    for (int64_t e = 0; e < E; ++e) {
      float want = 0;
      for (int64_t i = 0; i < I; ++i)
        want += value(i, e);
      EXPECT_EQ(sum.args[2].get({e}), want);
    }
  }
  // The axis that e indexes has its extent.
  gather.args[1] = Tensor::normal(Element::F32, {rows, E + 1}, 4);
  EXPECT_EQ(gather.run(), ATTN_E_SHAPE);
  EXPECT_EQ(gather.error.arg, 1);
}

/// Members of a list, and random numbers, which do not depend on the layout.
TEST(Map, MembersAndRandom) {
  StepCall c(kernelOf("%xs: tensor<?x?xi32>, %list: tensor<?x?xi32>, %seed: i64",
                      R"(dims(i, e) (%x : i32 = %xs[i, e], i = %i, e = %e) {
    %n = arith.index_cast %x : i32 to index
    %in = attn.member %n in %list[%i] : tensor<?x?xi32>
    %u = attn.random %seed[%i, %e] : i64 -> f32
    %zero = arith.constant 0.0 : f32
    %y = arith.select %in, %u, %zero : f32
    attn.yield %y : f32
  } -> [e, i] : (tensor<?x?xi32>) -> tensor<?x?xf32>)",
                      "tensor<?x?xf32>"));
  const int64_t I = 13, E = 10;
  Tensor x = Tensor::integers(Element::I32, {I, E}, 1, 0, 9), list = Tensor::integers(Element::I32, {I, 4}, 2, 0, 9);
  std::vector<uint64_t> first;
  for (const MemoryLayout &layout : {MemoryLayout{}, MemoryLayout{{1, 0}}}) {
    c.args = {x, list, Tensor(Element::F32, {E, I}, layout)};
    c.params = {integerParam(1234567890123)};
    ASSERT_EQ(c.run(), ATTN_OK);
    int64_t seen = 0;
    c.args[2].each([&](llvm::ArrayRef<int64_t> at) {
      bool in = false;
      for (int64_t n = 0; n < 4; ++n)
        in |= list.get({at[1], n}) == x.get({at[1], at[0]});
      EXPECT_EQ(c.args[2].get(at) != 0, in);
      seen += in;
    });
    EXPECT_TRUE(seen > 10 && seen < 120);
    first = first.empty() ? c.args[2].elements() : first;
    EXPECT_EQ(c.args[2].elements(), first);
  }
}

/// One long axis is many tasks.
TEST(Map, LongAxis) {
  StepCall c(kernelOf(
      "%xs: tensor<?xi64>",
      "dims(i) (%x : i64 = %xs[i], i = %i) {\n    %n = arith.index_cast %i : index to i64\n    %y = arith.xori "
      "%x, %n : i64\n    attn.yield %y : i64\n  } -> [i] : (tensor<?xi64>) -> tensor<?xi64>",
      "tensor<?xi64>"));
  const int64_t n = 100003;
  Tensor x(Element::I64, {n});
  for (int64_t i = 0; i < n; ++i)
    x.setBits({i}, uint64_t(i) * 0x9e3779b97f4a7c15u);
  for (int threads : {1, 4}) {
    c.args = {x, Tensor(Element::I64, {n})};
    c.threads(threads);
    ASSERT_EQ(c.run(), ATTN_OK);
    int64_t wrong = 0;
    for (int64_t i = 0; i < n; ++i)
      wrong += c.args[1].bits({i}) != (x.bits({i}) ^ uint64_t(i));
    EXPECT_EQ(wrong, 0);
  }
}

/// A result that nobody wants, inputs that repeat, and one that overlaps.
TEST(Map, CallRules) {
  StepCall c(kernelOf("%xs: tensor<?x?xf32>",
                      "dims(i, e) (%x = %xs[i, e]) {\n    attn.yield %x : f32\n  } -> [i, e] : (tensor<?x?xf32>) -> "
                      "tensor<?x?xf32>",
                      "tensor<?x?xf32>"));
  Tensor x(Element::F32, {40, 9}, MemoryLayout{{}, {}, {0}});
  x.fill([](auto at) { return double(at[1]); });
  c.args = {x, Tensor(Element::F32, {40, 9})};
  ASSERT_EQ(c.run(), ATTN_OK);
  EXPECT_EQ(c.args[1].elements(), x.elements());
  c.args[1].null = true;
  EXPECT_EQ(c.run(), ATTN_OK);
  c.args[1] = Tensor(Element::F32, {40, 10});
  EXPECT_EQ(c.run(), ATTN_E_SHAPE);
  c.args[1] = Tensor(Element::F32, {40, 9});
  c.args[1].claimed = {0, 1};
  EXPECT_EQ(c.run(), ATTN_E_STRIDE);
}

/// A mean divides by the extent that the call has, by elements, by tiles and where the index is used beside.
TEST(Map, Extents) {
  for (auto [I, E] : {std::pair<int64_t, int64_t>{3, 5}, {70, 129}, {1, 1}, {40, 0}}) {
    for (const char *type : {"f32", "f64"}) {
      const std::string t = type, in = "tensor<?x?x" + t + ">", out = "tensor<?x" + t + ">";
      StepCall mean(kernelOf("%x: " + in,
                             "dims(i, e) sum(e) (%u : " + t + " = %x[i, e], e = %e) { %n = attn.extent %e : " + t +
                                 "  %y = arith.divf %u, %n : " + t + "  attn.yield %y : " + t + " } -> [i] : (" + in +
                                 ") -> " + out,
                             out));
      const Element element = t == "f64" ? Element::F64 : Element::F32;
      Tensor x = Tensor::normal(element, {I, E}, 3);
      mean.args = {x, Tensor(element, {I})};
      ASSERT_EQ(mean.run(), ATTN_OK);
      for (int64_t i = 0; i < I; ++i) {
        double want = 0, size = 1e-6;
        for (int64_t e = 0; e < E; ++e)
          want += x.get({i, e}) / double(E), size += std::fabs(x.get({i, e})) / double(E);
        EXPECT_NEAR(mean.args[1].get({i}), want, 1e-6 * size) << I << " " << E;
      }
    }
    const std::string in = "tensor<?x?xf32>", out = "tensor<?x?xi64>";
    StepCall place(kernelOf(
        "%x: " + in,
        "dims(i, e) (%u = %x[i, e], i = %i, e = %e) { %n = attn.extent %e : index  %k = arith.muli %i, %n : index  "
        "%p = arith.addi %k, %e : index  %y = arith.index_cast %p : index to i64  attn.yield %y : i64 } -> [e, i] : (" +
            in + ") -> " + out,
        out));
    place.args = {Tensor::normal(Element::F32, {I, E}, 3), Tensor(Element::I64, {E, I})};
    ASSERT_EQ(place.run(), ATTN_OK);
    for (int64_t i = 0; i < I; ++i)
      for (int64_t e = 0; e < E; ++e)
        EXPECT_EQ(place.args[1].get({e, i}), double(i * E + e));
  }
}

} // namespace
