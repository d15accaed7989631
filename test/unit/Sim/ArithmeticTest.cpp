// Instructions against values worked out by hand or by C++'s own arithmetic: corners first.
#include "Run.h"

#include <cmath>

using namespace attn::sim;

namespace {

struct Row {
  const char *op; // "add.s32 %r3, %r1, %r2" on the operands in %r1 and %r2 (or %h, %f, %d, %rd)
  uint64_t x, y, want;
};

uint64_t f32(float f) {
  uint32_t u;
  memcpy(&u, &f, 4);
  return u;
}
uint64_t f64(double f) {
  uint64_t u;
  memcpy(&u, &f, 8);
  return u;
}

/// Loads x and y into registers of the kind, applies the instruction, gives register 3 of the kind.
uint64_t apply(const std::string &op, const std::string &kind, uint64_t x, uint64_t y) {
  std::string body, end;
  if (kind == "r" || kind == "h" || kind == "f") {
    body = "cvt.u32.u64 %r1, %x;\ncvt.u32.u64 %r2, %y;\n";
    if (kind == "h")
      body += "cvt.u16.u32 %h1, %r1;\ncvt.u16.u32 %h2, %r2;\n";
    if (kind == "f")
      body += "mov.b32 %f1, %r1;\nmov.b32 %f2, %r2;\n";
    end = kind == "h"   ? "cvt.u64.u16 %rd1, %h3;"
          : kind == "f" ? "mov.b32 %r3, %f3;\ncvt.u64.u32 %rd1, %r3;"
                        : "cvt.u64.u32 %rd1, %r3;";
  } else if (kind == "d") {
    body = "mov.b64 %d1, %x;\nmov.b64 %d2, %y;\n";
    end = "mov.b64 %rd1, %d3;";
  } else { // rd
    body = "mov.b64 %rd5, %x;\nmov.b64 %rd2, %y;\n";
    end = "mov.b64 %rd1, %rd3;";
  }
  const Outcome o = runBody(body + op + ";\n" + end + "\nst.global.u64 [%out], %rd1;", 32, std::vector<uint64_t>{x, y});
  if (!o.error.empty() || !o.report.clean()) {
    // Lanes beyond the first have zeros; nothing of what is tested here may trap on them.
    ADD_FAILURE() << op << ": " << o.text();
    return 0xdead;
  }
  return o.out[0];
}

template <size_t N> void check(const Row (&rows)[N], const char *kind) {
  for (const Row &row : rows) {
    const uint64_t got = apply(row.op, kind, row.x, row.y);
    EXPECT_EQ(got, row.want) << row.op << " of " << std::hex << row.x << ", " << row.y << " is " << got << ", expected "
                             << row.want;
  }
}

} // namespace

TEST(Integer, Words) {
  const Row rows[] = {
      {"add.s32 %r3, %r1, %r2", 0x7fffffff, 1, 0x80000000},
      {"add.sat.s32 %r3, %r1, %r2", 0x7fffffff, 1, 0x7fffffff},
      {"sub.sat.s32 %r3, %r1, %r2", 0x80000000, 1, 0x80000000},
      {"sub.u32 %r3, %r1, %r2", 0, 1, 0xffffffff},
      {"mul.lo.s32 %r3, %r1, %r2", 0x10001, 0x10001, 0x20001},
      {"mul.hi.s32 %r3, %r1, %r2", 0xffffffff, 0xffffffff, 0},
      {"mul.hi.u32 %r3, %r1, %r2", 0xffffffff, 0xffffffff, 0xfffffffe},
      {"mad.hi.u32 %r3, %r1, %r2, 5", 0xffffffff, 0xffffffff, 3},
      {"mad.lo.s32 %r3, %r1, %r2, -7", 3, 4, 5},
      {"div.s32 %r3, %r1, %r2", uint32_t(-7), 2, uint32_t(-3)},
      {"rem.s32 %r3, %r1, %r2", uint32_t(-7), 2, uint32_t(-1)},
      {"div.s32 %r3, %r1, %r2", 0x80000000, 0xffffffff, 0x80000000},
      {"abs.s32 %r3, %r1", 0x80000000, 0, 0x80000000},
      {"neg.s32 %r3, %r1", 5, 0, uint32_t(-5)},
      {"min.s32 %r3, %r1, %r2", 0xffffffff, 1, 0xffffffff},
      {"min.u32 %r3, %r1, %r2", 0xffffffff, 1, 1},
      {"shl.b32 %r3, %r1, %r2", 1, 32, 0},
      {"shl.b32 %r3, %r1, %r2", 1, 256 + 1, 0}, // the whole amount counts, not its low bits
      {"shr.s32 %r3, %r1, %r2", 0x80000000, 40, 0xffffffff},
      {"shr.u32 %r3, %r1, %r2", 0x80000000, 31, 1},
      {"not.b32 %r3, %r1", 0xf0f0f0f0, 0, 0x0f0f0f0f},
      {"cnot.b32 %r3, %r1", 0, 0, 1},
      {"popc.b32 %r3, %r1", 0xff00ff01, 0, 17},
      {"clz.b32 %r3, %r1", 0, 0, 32},
      {"brev.b32 %r3, %r1", 1, 0, 0x80000000},
      {"bfind.u32 %r3, %r1", 0x00010000, 0, 16},
      {"bfind.s32 %r3, %r1", 0xffffffff, 0, 0xffffffff},
      {"bfind.shiftamt.u32 %r3, %r1", 0x00010000, 0, 15},
      {"bfe.u32 %r3, %r1, 8, 8", 0x12345678, 0, 0x56},
      {"bfe.s32 %r3, %r1, 4, 8", 0x00000f80, 0, 0xfffffff8},
      {"bfe.s32 %r3, %r1, 28, 8", 0x80000000, 0, 0xfffffff8},
      {"bfi.b32 %r3, %r1, %r2, 8, 8", 0xab, 0x11111111, 0x1111ab11},
      {"bfi.b32 %r3, %r1, %r2, 24, 16", 0xffff, 0, 0xff000000},
      {"lop3.b32 %r3, %r1, %r2, 12, 0x96", 10, 6, 0},
      {"lop3.b32 %r3, %r1, %r2, 12, 0xca", 10, 6, (10 & 6) | (~10 & 12)},
      {"shf.l.wrap.b32 %r3, %r1, %r2, 8", 0xaabbccdd, 0x11223344, 0x223344aa},
      {"shf.r.clamp.b32 %r3, %r1, %r2, 40", 0xaabbccdd, 0x11223344, 0x11223344},
      {"shf.r.wrap.b32 %r3, %r1, %r2, 40", 0xaabbccdd, 0x11223344, 0x44aabbcc},
      {"prmt.b32 %r3, %r1, %r2, 0x7531", 0x33221100, 0x77665544, 0x77553311},
      {"prmt.b32 %r3, %r1, %r2, 0x0098", 0x00008040, 0, 0x4040ff00},
      {"prmt.b32.f4e %r3, %r1, %r2, 1", 0x33221100, 0x77665544, 0x44332211},
      {"prmt.b32.rc16 %r3, %r1, %r2, 1", 0x33221100, 0, 0x33223322},
      {"sad.s32 %r3, %r1, %r2, 1", uint32_t(-5), 3, 9},
      {"dp4a.s32.s32 %r3, %r1, %r2, 10", 0xff02fe04, 0x01010101, uint32_t(10 - 1 + 2 - 2 + 4)},
      {"slct.s32.s32 %r3, 7, 8, %r1", 0x80000000, 0, 8},
      {"set.lt.u32.s32 %r3, %r1, %r2", uint32_t(-1), 0, 0xffffffff},
      {"cvt.s32.s8 %r3, %r1", 0x180, 0, 0xffffff80},
      {"cvt.u32.u16 %r3, %r1", 0x12345678, 0, 0x5678},
      {"cvt.sat.s8.s32 %r3, %r1", 1000, 0, 127},
      {"cvt.sat.u8.s32 %r3, %r1", uint32_t(-3), 0, 0},
      {"mov.b32 {%h1, %h2}, %r1;\nmov.b32 %r3, {%h2, %h1}", 0x12345678, 0, 0x56781234},
  };
  check(rows, "r");
}

TEST(Integer, HalfWordsAndDoubleWords) {
  const Row halves[] = {{"add.s16 %h3, %h1, %h2", 0x7fff, 1, 0x8000},
                        {"mul.hi.u16 %h3, %h1, %h2", 0xffff, 0xffff, 0xfffe},
                        {"shr.s16 %h3, %h1, 20", 0x8000, 0, 0xffff},
                        {"div.s16 %h3, %h1, %h2", uint16_t(-9), 2, uint16_t(-4)},
                        {"max.u16 %h3, %h1, %h2", 0x8000, 1, 0x8000}};
  check(halves, "h");
  const Row doubles[] = {
      {"add.u64 %rd3, %rd5, %rd2", ~0ull, 2, 1},
      {"mul.hi.u64 %rd3, %rd5, %rd2", ~0ull, ~0ull, ~0ull - 1},
      {"mul.wide.s32 %rd3, -3, 5", 0, 0, uint64_t(-15)},
      {"mul.wide.u32 %rd3, -3, 5", 0, 0, 0xfffffffdull * 5},
      {"mad.wide.s32 %rd3, -3, 5, %rd2", 0, 20, 5},
      {"shr.s64 %rd3, %rd5, 63", 1ull << 63, 0, ~0ull},
      {"popc.b64 %r3, %rd5;\ncvt.u64.u32 %rd3, %r3", ~0ull, 0, 64},
      {"bfe.u64 %rd3, %rd5, 32, 40", 0x123456789abcdef0, 0, 0x12345678},
      {"bfi.b64 %rd3, %rd5, %rd2, 32, 8", 0xab, 0x1111111111111111, 0x111111ab11111111},
      {"min.s64 %rd3, %rd5, %rd2", uint64_t(-1), 1, uint64_t(-1)},
      {"rem.u64 %rd3, %rd5, %rd2", ~0ull, 10, 5},
      {"mov.b64 {%r1, %r2}, %rd5;\nmov.b64 %rd3, {%r2, %r1}", 0x1122334455667788, 0, 0x5566778811223344},
      {"cvta.to.global.u64 %rd3, %rd5", 77, 0, 77}};
  check(doubles, "rd");
}

TEST(Float, Single) {
  const uint64_t nan = 0x7fffffff, tiny = 1;
  const Row rows[] = {
      {"add.f32 %f3, %f1, %f2", f32(1), f32(0x1p-24f), f32(1)},
      {"add.rp.f32 %f3, %f1, %f2", f32(1), f32(0x1p-30f), 0x3f800001},
      {"add.rm.f32 %f3, %f1, %f2", f32(1), f32(-0x1p-30f), 0x3f7fffff},
      {"add.rz.f32 %f3, %f1, %f2", f32(-1), f32(0x1p-30f), 0xbf7fffff},
      {"mul.f32 %f3, %f1, %f2", f32(INFINITY), 0, nan},
      {"mul.ftz.f32 %f3, %f1, %f2", tiny, f32(0x1p100f), 0},
      {"mul.f32 %f3, %f1, %f2", tiny, f32(2), 2},
      {"add.ftz.f32 %f3, %f1, %f2", 0x80000001, 0x80000000, 0x80000000},
      {"add.sat.f32 %f3, %f1, %f2", f32(0.75f), f32(0.75f), f32(1)},
      {"mul.sat.f32 %f3, %f1, %f2", f32(NAN), f32(1), 0},
      {"fma.rn.f32 %f3, %f1, %f2, 0fBF800000", f32(1 + 0x1p-12f), f32(1 + 0x1p-12f), f32(0x1p-11f + 0x1p-24f)},
      {"div.rn.f32 %f3, %f1, %f2", f32(1), f32(3), f32(1.0f / 3)},
      {"div.rz.f32 %f3, %f1, %f2", f32(2), f32(3), 0x3f2aaaaa},
      {"sqrt.rn.f32 %f3, %f1", f32(-0.0f), 0, 0x80000000},
      {"rcp.rn.f32 %f3, %f1", f32(0), 0, f32(INFINITY)},
      {"min.f32 %f3, %f1, %f2", f32(NAN), f32(2), f32(2)},
      {"min.NaN.f32 %f3, %f1, %f2", f32(NAN), f32(2), nan},
      {"max.f32 %f3, %f1, %f2", 0x80000000, 0, 0},
      {"min.f32 %f3, %f1, %f2", 0, 0x80000000, 0x80000000},
      {"neg.f32 %f3, %f1", f32(1), 0, f32(-1)},
      {"abs.ftz.f32 %f3, %f1", 0x80000001, 0, 0},
      {"copysign.f32 %f3, %f1, %f2", f32(-1), f32(5), f32(-5)},
      {"cvt.rni.f32.f32 %f3, %f1", f32(2.5f), 0, f32(2)},
      {"cvt.rpi.f32.f32 %f3, %f1", f32(-0.5f), 0, 0x80000000},
      {"cvt.sat.f32.f32 %f3, %f1", f32(-3), 0, 0},
      {"cvt.rn.f32.s32 %f3, %r1", 0x7fffffff, 0, f32(0x1p31f)},
      {"cvt.rz.f32.u32 %f3, %r1", 0xffffffff, 0, 0x4f7fffff},
      {"cvt.rzi.s32.f32 %r3, %f1;\nmov.b32 %f3, %r3", f32(-2.9f), 0, uint32_t(-2)},
      {"cvt.rzi.s32.f32 %r3, %f1;\nmov.b32 %f3, %r3", f32(3e9f), 0, 0x7fffffff},
      {"cvt.rni.u32.f32 %r3, %f1;\nmov.b32 %f3, %r3", f32(-1), 0, 0},
      {"cvt.rni.u32.f32 %r3, %f1;\nmov.b32 %f3, %r3", f32(NAN), 0, 0},
      {"cvt.rmi.s32.f32 %r3, %f1;\nmov.b32 %f3, %r3", f32(-0.1f), 0, uint32_t(-1)},
      {"setp.lt.f32 %p1, %f1, %f2;\nselp.f32 %f3, 0f3F800000, 0f00000000, %p1", f32(NAN), f32(1), 0},
      {"setp.ltu.f32 %p1, %f1, %f2;\nselp.f32 %f3, 0f3F800000, 0f00000000, %p1", f32(NAN), f32(1), f32(1)},
      {"setp.ne.f32 %p1, %f1, %f1;\nselp.f32 %f3, 0f3F800000, 0f00000000, %p1", f32(NAN), 0, 0},
      {"setp.nan.and.f32 %p1|%p2, %f1, %f2, %p0;\nselp.f32 %f3, 0f3F800000, 0f40000000, %p2", f32(NAN), f32(1), f32(2)},
      {"testp.subnormal.f32 %p1, %f1;\nselp.f32 %f3, 0f3F800000, 0f00000000, %p1", tiny, 0, f32(1)},
      {"ex2.approx.f32 %f3, %f1", f32(-INFINITY), 0, 0},
      {"ex2.approx.f32 %f3, %f1", f32(NAN), 0, nan},
      {"lg2.approx.f32 %f3, %f1", f32(0), 0, f32(-INFINITY)},
      {"rsqrt.approx.f32 %f3, %f1", f32(INFINITY), 0, 0},
      {"div.approx.f32 %f3, %f1, %f2", f32(1), f32(0x1.8p126f), 0},
  };
  for (const Row &row : rows) {
    // The combined predicate of one row has a source that must be written.
    const std::string before = std::string(row.op).find("%p0") != std::string::npos ? "setp.eq.u32 %p0, 1, 1;\n" : "";
    const uint64_t got = apply(before + row.op, "f", row.x, row.y);
    EXPECT_EQ(got, row.want) << row.op << " of " << std::hex << row.x << ", " << row.y << " is " << got << ", expected "
                             << row.want;
  }
}

TEST(Float, Double) {
  const Row rows[] = {
      {"add.rn.f64 %d3, %d1, %d2", f64(1), f64(0x1p-53), f64(1)},
      {"add.rp.f64 %d3, %d1, %d2", f64(1), f64(0x1p-53), f64(1) + 1},
      {"fma.rn.f64 %d3, %d1, %d2, 0dBFF0000000000000", f64(1 + 0x1p-30), f64(1 + 0x1p-30), f64(0x1p-29 + 0x1p-60)},
      {"cvt.rn.f64.u64 %d3, %x", ~0ull, 0, f64(0x1p64)},
      {"cvt.rz.f64.u64 %d3, %x", ~0ull, 0, f64(0x1p64) - 1},
      {"cvt.rzi.s64.f64 %rd3, %d1;\nmov.b64 %d3, %rd3", f64(NAN), 0, 1ull << 63},
      {"cvt.rn.f32.f64 %f1, %d1;\ncvt.f64.f32 %d3, %f1", f64(1e300), 0, f64(INFINITY)},
      {"cvt.rz.f32.f64 %f1, %d1;\ncvt.f64.f32 %d3, %f1", f64(1e300), 0, f64(0x1.fffffep127)},
      {"sqrt.rn.f64 %d3, %d1", f64(2), 0, f64(std::sqrt(2.0))}};
  check(rows, "d");
}

TEST(Float, HalvesRoundOnce) {
  const Row rows[] = {
      {"add.f16 %h3, %h1, %h2", 0x3c00, 0x1000, 0x3c00}, // 1 + 2^-11: a tie, to even
      {"fma.rn.f16 %h3, %h1, %h2, %h1", 0x3c01, 0x3c01,
       0x4002}, // (1+e)^2 + (1+e), e = 2^-10: 2 + 3e + e^2 lies above the tie
      {"fma.rn.f16 %h3, %h1, %h2, 0x0001", 0x7bff, 0x3c00, 0x7bff},
      {"add.f16 %h3, %h1, %h2", 0x7bff, 0x4c00, 0x7c00}, // 65504 + 16: the tie that rounds to infinity
      {"mul.f16 %h3, %h1, %h2", 0x0001, 0x3800, 0x0000},
      {"mul.ftz.f16 %h3, %h1, %h2", 0x0400, 0x3800, 0x0000},
      {"fma.rn.relu.f16 %h3, %h1, %h2, 0x0000", 0xbc00, 0x3c00, 0x0000},
      {"max.f16 %h3, %h1, %h2", 0x7e00, 0x3c00, 0x3c00},
      {"max.NaN.f16 %h3, %h1, %h2", 0x7e00, 0x3c00, 0x7fff},
      {"fma.rn.bf16 %h3, %h1, %h2, %h2", 0x3f80, 0x3f81, 0x4001},
      {"neg.bf16 %h3, %h1", 0x3f80, 0, 0xbf80},
      {"cvt.rz.bf16.f32 %h3, %f4", 0, 0, 0x3fff},
      {"cvt.rn.satfinite.e4m3x2.f32 %h3, %f4, %f4", 0, 0, 0x4040},
  };
  for (const Row &row : rows) {
    const uint64_t got = apply(std::string("mov.f32 %f4, 0f3FFFFFFF;\n") + row.op, "h", row.x, row.y);
    EXPECT_EQ(got, row.want) << row.op << " of " << std::hex << row.x << ", " << row.y << " is " << got << ", expected "
                             << row.want;
  }
  const Row packed[] = {{"add.rn.f16x2 %r3, %r1, %r2", 0x3c004000, 0x40003c00, 0x42004200},
                        {"fma.rn.bf16x2 %r3, %r1, %r2, %r2", 0x3f803f80, 0x3f804000, 0x40004080},
                        {"max.bf16x2 %r3, %r1, %r2", 0xbf803f80, 0x3f80bf80, 0x3f803f80},
                        {"cvt.rn.f16x2.e4m3x2 %r3, %h1", 0, 0, 0x3c004000}};
  for (const Row &row : packed)
    EXPECT_EQ(apply(std::string("mov.b16 %h1, 0x3840;\n") + row.op, "r", row.x, row.y), row.want) << row.op;
}

TEST(Float, ApproximationsStayInTheirBounds) {
  // Two seeds must differ somewhere, and none may leave the bound.
  struct Bound {
    const char *op;
    double (*exact)(double);
    double relative, absolute;
  };
  const Bound bounds[] = {{"ex2.approx.f32", std::exp2, 3 * 0x1p-23, 0},
                          {"lg2.approx.f32", std::log2, 0x1p-22, 0x1p-22},
                          {"sin.approx.f32", std::sin, 0, 0x1.7p-20},
                          {"cos.approx.f32", std::cos, 0, 0x1.7p-20},
                          {"tanh.approx.f32", std::tanh, 0x1p-11, 0},
                          {"sqrt.approx.f32", std::sqrt, 0x1.8p-23, 0},
                          {"rcp.approx.f32", [](double x) { return 1 / x; }, 0x1.8p-23, 0},
                          {"rsqrt.approx.f32", [](double x) { return 1 / std::sqrt(x); }, 0x1.3p-22, 0}};
  for (const Bound &b : bounds) {
    std::vector<std::vector<uint64_t>> outs;
    for (uint64_t seed = 1; seed <= 3; ++seed) {
      std::vector<uint64_t> words;
      for (int i = 0; i < 256; ++i)
        words.push_back(i % 2 ? 0 : f32(float(0.02 + i * 0.011)));
      LaunchOptions options;
      options.seed = seed;
      const Outcome o =
          runBody(std::string("cvt.u32.u64 %r1, %x;\nmov.b32 %f1, %r1;\n") + b.op +
                      " %f2, %f1;\nmov.b32 %r2, %f2;\ncvt.u64.u32 %rd1, %r2;\nst.global.u64 [%out], %rd1;",
                  128, words, options);
      ASSERT_TRUE(o.report.clean()) << o.text();
      for (int i = 0; i < 128; ++i) {
        float x, got;
        memcpy(&x, &words[size_t(i) * 2], 4);
        memcpy(&got, &o.out[size_t(i)], 4);
        const double exact = b.exact(x);
        EXPECT_LE(std::fabs(got - exact), b.relative * std::fabs(exact) + b.absolute) << b.op << " of " << x;
      }
      outs.push_back(o.out);
    }
    EXPECT_TRUE(outs[0] != outs[1] || outs[1] != outs[2]) << b.op;
  }
}

TEST(Memory, VectorsWidthsAndCalls) {
  auto o = runBody("mov.u32 %r1, memory;\nmad.lo.u32 %r2, %tid, 16, %r1;\nmov.u32 %r3, 0x80ff7f01;\nst.shared.v4.u32 "
                   "[%r2], {%r3, %tid, 3, 4};\nld.shared.s8 %r4, [%r2+3];\n"
                   "ld.shared.v2.u16 {%r5, %r6}, [%r2];\nld.shared.b64 %rd2, [%r2+8];\nadd.u32 %r4, %r4, %r5;\nadd.u32 "
                   "%r4, %r4, %r6;\ncvt.s64.s32 %rd1, %r4;\nadd.u64 %rd1, %rd1, %rd2;\n"
                   "cvta.shared.u64 %rd3, %rd4;\nst.global.u64 [%out], %rd1;");
  EXPECT_EQ(o.error, "");
  o = runBody("mov.u32 %r1, memory;\nmad.lo.u32 %r2, %tid, 16, %r1;\nmov.u32 %r3, 0x80ff7f01;\nst.shared.v4.u32 [%r2], "
              "{%r3, %tid, 3, 4};\nld.shared.s8 %r4, [%r2+3];\n"
              "ld.shared.v2.u16 {%r5, %r6}, [%r2];\ncvt.u64.u32 %rd4, %r2;\ncvta.shared.u64 %rd3, %rd4;\nld.u64 %rd2, "
              "[%rd3+8];\nadd.u32 %r4, %r4, %r5;\nadd.u32 %r4, %r4, %r6;\n"
              "cvt.s64.s32 %rd1, %r4;\nadd.u64 %rd1, %rd1, %rd2;\nst.global.u64 [%out], %rd1;");
  EXPECT_TRUE(o.report.clean()) << o.text();
  EXPECT_EQ(o.out[7], uint64_t(-128 + 0x7f01 + 0x80ff) + 0x400000003);

  const std::string function = ".func (.param .b64 result) twice(.param .b64 x, .param .b32 add)\n{\n.reg .b64 %rd<4>; "
                               ".reg .b32 %r<2>; .local .align 8 .b8 depot[8];\n"
                               "ld.param.u64 %rd1, [x];\nld.param.u32 %r1, [add];\ncvt.u64.u32 %rd2, %r1;\nadd.u64 "
                               "%rd3, %rd1, %rd1;\nst.local.u64 [depot], %rd3;\nld.local.u64 %rd3, [depot];\n"
                               "add.u64 %rd3, %rd3, %rd2;\nst.param.b64 [result], %rd3;\nret;\n}\n";
  o = runText(kernelOf("mov.u64 %rd1, 100;\nsetp.gt.u32 %p1, %tid, 9;\n@%p1 bra SKIP;\n{\n.param .b64 a; .param .b32 "
                       "b; .param .b64 r;\nst.param.b64 [a], %x;\nst.param.b32 [b], %tid;\n"
                       "call.uni (r), twice, (a, b);\nld.param.b64 %rd1, [r];\n}\nSKIP:\nst.global.u64 [%out], %rd1;",
                       function),
              32, std::vector<uint64_t>(64, 21));
  EXPECT_TRUE(o.error.empty() && o.report.clean()) << o.text();
  EXPECT_TRUE(o.out[3] == 45 && o.out[20] == 100);
}

TEST(Counters, ConflictsSectorsBytes) {
  const auto site = [](const Outcome &o, const char *text) {
    for (auto &s : o.report.sites)
      if (s.instruction == text)
        return s;
    return SiteCounters();
  };
  // A stride of 32 words is 32 passes, of 33 words one, of 16 bytes a lane four, which is ideal.
  const std::string start = "mov.u32 %r1, memory;\n", end = "st.global.u64 [%out], %x;";
  auto o = runBody(start + "mad.lo.u32 %r2, %tid, 128, %r1;\nst.shared.u32 [%r2], %tid;\n" + end);
  EXPECT_EQ(site(o, "st.shared.u32").wavefronts, 32u);
  EXPECT_EQ(site(o, "st.shared.u32").idealWavefronts, 1u);
  o = runBody(start + "mad.lo.u32 %r2, %tid, 124, %r1;\nst.shared.u32 [%r2], %tid;\n" + end);
  EXPECT_EQ(site(o, "st.shared.u32").wavefronts, 1u);
  o = runBody(start + "mad.lo.u32 %r2, %tid, 16, %r1;\nst.shared.v4.u32 [%r2], {%tid, %tid, %tid, %tid};\n" + end);
  EXPECT_EQ(site(o, "st.shared.v4.u32").wavefronts, 4u);
  EXPECT_EQ(site(o, "st.global.u64").sectors, 8u);
  EXPECT_EQ(site(o, "st.global.u64").idealSectors, 8u);
  EXPECT_EQ(o.report.bytes.at("global.store"), 256u);
  EXPECT_EQ(o.report.bytes.at("shared.store"), 512u);
  EXPECT_EQ(o.report.instructions.at("st.global.u64"), 1u);
}
