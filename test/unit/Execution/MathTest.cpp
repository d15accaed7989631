// The functions of vectors, over a dense sample of all f32: one in 4099 of them, all with ATTN_LONG=1.
#include "Steps.h"

#include <cstdlib>
#include <cstring>

using namespace attn;
using namespace attn::test;

namespace {

struct Function {
  const char *op;
  double (*exact)(double);
  double ulps;
};
const Function kFunctions[] = {
    {"math.exp", [](double x) { return std::exp(x); }, 1.5},
    {"math.exp2", [](double x) { return std::exp2(x); }, 1.5},
    {"math.expm1", [](double x) { return std::expm1(x); }, 2},
    {"math.tanh", [](double x) { return std::tanh(x); }, 2},
    {"math.log", [](double x) { return std::log(x); }, 1.5},
    {"math.log1p", [](double x) { return std::log1p(x); }, 1.5},
};

float fromBits(uint32_t bits) {
  float x;
  std::memcpy(&x, &bits, 4);
  return x;
}

/// Distance in units of the last place of `exact`. Below the least normal number the exponentials are 0.
double error(double exact, float got, bool flushes) {
  if (std::isnan(exact))
    return std::isnan(got) ? 0 : kInf;
  if (std::isinf(got) || std::isinf(float(exact)))
    return std::isinf(got) && std::fabs(exact) > 0x1.fffffep127 && (got > 0) == (exact > 0) ? 0 : kInf;
  double size = std::fabs(exact);
  if (flushes && size < 0x1p-126)
    return got == 0 || size > 0x1p-126 * (1 - 0x1p-22) ? 0 : kInf;
  // The last place of f32 is 23 below the exponent's; by the bits of the double, for there are 2^32 of these.
  size = std::max(size, 0x1p-126);
  uint64_t bits;
  std::memcpy(&bits, &size, 8);
  bits = ((bits >> 52) - 23) << 52;
  double last;
  std::memcpy(&last, &bits, 8);
  return std::fabs(double(got) - exact) / last;
}

struct MapOf {
  explicit MapOf(const std::string &op)
      : call("attn.kernel @k(%xs: tensor<?xf32>) -> (y: tensor<?xf32>) {\n  %y = attn.map dims(i) (%x = %xs[i]) {\n"
             "    %p = " +
             op + " %x : f32\n    attn.yield %p : f32\n  } -> [i] : (tensor<?xf32>) -> tensor<?xf32>\n" +
             "  attn.return %y : tensor<?xf32>\n}\n") {}
  std::vector<float> operator()(llvm::ArrayRef<uint32_t> bits) {
    Tensor x(Element::F32, {int64_t(bits.size())});
    for (size_t n = 0; n < bits.size(); ++n)
      x.setBits({int64_t(n)}, bits[n]);
    call.args = {x, Tensor(Element::F32, {int64_t(bits.size())})};
    EXPECT_EQ(call.run(), ATTN_OK);
    std::vector<float> y;
    for (uint64_t b : call.args[1].elements())
      y.push_back(fromBits(uint32_t(b)));
    return y;
  }
  StepCall call;
};

TEST(Math, Accuracy) {
  const char *all = std::getenv("ATTN_LONG");
  const uint64_t step = all && std::atoi(all) ? 1 : 4099;
  for (const Function &f : kFunctions) {
    MapOf map(f.op);
    const bool flushes = std::strncmp(f.op, "math.exp", 8) == 0 && std::strcmp(f.op, "math.expm1") != 0;
    double worst = 0;
    float at = 0;
    std::vector<uint32_t> bits;
    for (uint64_t from = 0; from < (uint64_t(1) << 32); from += step << 16) {
      bits.clear();
      for (uint64_t n = from; n < std::min(from + (step << 16), uint64_t(1) << 32); n += step)
        bits.push_back(uint32_t(n));
      const std::vector<float> y = map(bits);
      for (size_t n = 0; n < bits.size(); ++n) {
        const float x = fromBits(bits[n]);
        // Between 2^-126 and 2^-127 exp2 is not exact, see Emit.h.
        if (flushes && f.op[8] == '2' && x < -126 && x > -127)
          continue;
        if (double e = error(f.exact(x), y[n], flushes); !(e <= worst))
          worst = e, at = x;
      }
    }
    EXPECT_LE(worst, f.ulps) << f.op << " of " << at;
    std::printf("%s: %.3f ulp at %a\n", f.op, worst, double(at));
  }
}

/// The weights of exponential normalizers: 2^x of a score against its row's reference. A row has two kinds of keys: one
/// with score 0, whose weight is 2^0 and what the other is divided by, and two panels further one with score x and
/// value 1. A row's reference stays 0 up to x = 8 (kLag), and no weight is larger than 2^8.
struct WeightOf {
  explicit WeightOf(const std::string &target)
      : call(R"(!t = tensor<?x1xf32>
attn.normalizer @ratio() {
  attn.pass ref = max
    gauge(%r0, %r1) { %d = arith.subf %r0, %r1 : f32  %g = math.exp2 %d : f32  attn.yield %g : f32 }
    phi(%s, %r) { %d = arith.subf %s, %r : f32  %w = math.exp2 %d : f32  attn.yield %w : f32 }
    sums(a = one in 0, n = value in 1)
  attn.finish(%r, %a, %n) { %o = arith.divf %n, %a : f32  attn.yield %o : f32 } outputs(o) empty(0.0)
}
attn.kernel @w(%q: !t, %k: !t, %v: !t, %xs: tensor<?xf32>, %label: tensor<?xi32>) -> (o: !t) {
  %o = attn.attend dims(| i | j | c, e)
    q = %q[i, c] k = %k[j, c] v = %v[j, e] set = full scale = 1.0
    score(%s, i = %i, j = %j) {
      %x = attn.load %xs[%i] : tensor<?xf32>
      %last = arith.constant 32 : index  %is = arith.cmpi eq, %j, %last : index
      %t = arith.select %is, %x, %s : f32  attn.yield %t : f32
    }
    class(j = %j) { %c = attn.load %label[%j] : tensor<?xi32>  attn.yield %c : i32 }
    normalize = @ratio
    outputs o[i, e] : (!t, !t, !t) -> (!t)
  attn.return %o : !t
}
)",
             target) {}
  std::vector<float> operator()(llvm::ArrayRef<uint32_t> bits) {
    const int64_t keys = 33, last = keys - 1;
    const int64_t rows = int64_t(bits.size());
    Tensor q(Element::F32, {rows, 1}), k(Element::F32, {keys, 1}), v(Element::F32, {keys, 1}), xs(Element::F32, {rows}),
        label(Element::I32, {keys}); // new tensors are zeros
    for (int64_t n = 0; n < rows; ++n)
      xs.setBits({n}, bits[size_t(n)]);
    for (int64_t n = 0; n < keys; ++n) {
      v.set({n, 0}, n == last);
      label.set({n}, n == 0 ? 0 : n == last ? 1 : 2);
    }
    call.args = {q, k, v, xs, label, Tensor(Element::F32, {rows, 1})};
    EXPECT_EQ(call.run(), ATTN_OK);
    std::vector<float> y;
    for (uint64_t b : call.args[5].elements())
      y.push_back(fromBits(uint32_t(b)));
    return y;
  }
  StepCall call;
};

// Every x of [-127, 8] whose weight is not 1 within a tenth of an ulp; others by the sample.
TEST(Math, WeightAccuracy) {
  const char *all = std::getenv("ATTN_LONG");
  const uint32_t step = all && std::atoi(all) ? 1 : 4099;
  for (const std::string target : {"x86-64-v2", "x86-64-v3", "x86-64-v4"}) {
    if (target == "x86-64-v4" && !__builtin_cpu_supports("x86-64-v4"))
      continue;
    WeightOf weight(target);
    double worst = 0;
    float at = 0;
    auto check = [&](llvm::ArrayRef<uint32_t> bits) {
      const std::vector<float> y = weight(bits);
      for (size_t n = 0; n < bits.size(); ++n) {
        const float x = fromBits(bits[n]);
        // Between 2^-126 and 2^-127 it is not exact, see Emit.h.
        if (x < -126 && x > -127) {
          EXPECT_TRUE(y[n] >= 0 && y[n] <= 0x1p-126f) << x << " gives " << y[n];
          continue;
        }
        if (double e = error(std::exp2(double(x)), y[n], true); !(e <= worst))
          worst = e, at = x;
      }
    };
    std::vector<uint32_t> bits;
    auto range = [&](float from, float to, uint32_t step) { // of one sign, by magnitude
      uint32_t first, end;
      std::memcpy(&first, &from, 4);
      std::memcpy(&end, &to, 4);
      for (uint64_t n = first; n <= end; n += step) {
        bits.push_back(uint32_t(n));
        if (bits.size() < 1 << 18 && n + step <= end)
          continue;
        check(bits);
        bits.clear();
      }
    };
    range(0x1p-27f, 8, step);
    range(-0x1p-27f, -127, step);
    range(0, 0x1p-27f, 1 << 20);
    range(-0.f, -0x1p-27f, 1 << 20);
    range(-127, -INFINITY, 1 << 14);
    // A NaN with any payload is one.
    range(fromBits(0x7f800001), fromBits(0x7fffffff), 4099);
    range(fromBits(0xff800001), fromBits(0xffffffff), 4099);
    EXPECT_LE(worst, 1.5) << target << ": weight of " << at;
    std::printf("weights, %s: %.3f ulp at %a\n", target.c_str(), worst, double(at));
    const std::vector<float> y = weight({0u, 0x80000000u, 0xc2fe0000u, 0xff800000u});
    EXPECT_EQ(y[0], 1);
    EXPECT_EQ(y[1], 1);
    EXPECT_EQ(y[2], 0);
    EXPECT_EQ(y[3], 0);
  }
}

TEST(Math, SpecialValues) {
  const float inf = INFINITY;
  const std::vector<uint32_t> in = {0x00000000, 0x80000000, 0x7f800000, 0xff800000, 0x7fc00000, 0xffc00123, 0x7f800001,
                                    0x00000001, 0x80000001, 0x7f7fffff, 0xff7fffff, 0xbf800000, 0x3f800000};
  struct {
    const char *op;
    std::vector<float> want; // of those above
  } const cases[] = {
      {"math.exp", {1, 1, inf, 0, NAN, NAN, NAN, 1, 1, inf, 0}},
      {"math.exp2", {1, 1, inf, 0, NAN, NAN, NAN, 1, 1, inf, 0, 0.5f, 2}},
      {"math.expm1", {0, -0.f, inf, -1, NAN, NAN, NAN, 0x1p-149f, -0x1p-149f, inf, -1}},
      {"math.tanh", {0, -0.f, 1, -1, NAN, NAN, NAN, 0x1p-149f, -0x1p-149f, 1, -1}},
      {"math.log", {-inf, -inf, inf, NAN, NAN, NAN, NAN, -0x1.9d1dap6f, NAN, 0x1.62e43p6f, NAN, NAN, 0}},
      {"math.log1p", {0, -0.f, inf, NAN, NAN, NAN, NAN, 0x1p-149f, -0x1p-149f, 0x1.62e43p6f, NAN, -inf}},
  };
  for (const auto &c : cases) {
    MapOf map(c.op);
    const std::vector<float> y = map(in);
    for (size_t n = 0; n < c.want.size(); ++n) {
      if (std::isnan(c.want[n]))
        EXPECT_TRUE(std::isnan(y[n])) << c.op << " of " << fromBits(in[n]) << " is " << y[n];
      else
        EXPECT_TRUE(y[n] == c.want[n] && std::signbit(y[n]) == std::signbit(c.want[n]))
            << c.op << " of " << fromBits(in[n]) << " is " << y[n];
    }
  }
}

} // namespace
