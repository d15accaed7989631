// Functions that stand for instructions on vectors of 64 bytes: the bits that the instructions' definitions give, and,
// on a CPU that has them, the bits that they give.
#include "Lacking.h"
#include "attn/Machine/X86.h"
#include "attn/Target/X86/X86.h"

#include "llvm/ADT/bit.h"
#include "llvm/AsmParser/Parser.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/IR/Verifier.h"
#include "llvm/Support/SourceMgr.h"
#include "gtest/gtest.h"

#include <cmath>
#include <immintrin.h>
#include <random>

using namespace llvm;

namespace {

using Words = std::array<uint32_t, 16>;

/// Each operation: what takes `x`, `y` and `z` and leaves the words of its result.
constexpr StringLiteral kProgram = R"(
declare <16 x i32> @llvm.x86.avx512.mask.cvtps2dq.512(<16 x float>, <16 x i32>, i16, i32)
declare <16 x float> @llvm.x86.avx512.mask.reduce.ps.512(<16 x float>, i32, <16 x float>, i16, i32)
declare <16 x float> @llvm.x86.avx512.mask.scalef.ps.512(<16 x float>, <16 x float>, <16 x float>, i16, i32)
declare <16 x float> @llvm.x86.avx512bf16.dpbf16ps.512(<16 x float>, <32 x bfloat>, <32 x bfloat>)
declare <16 x bfloat> @llvm.x86.avx512bf16.cvtneps2bf16.512(<16 x float>)
declare <32 x bfloat> @llvm.x86.avx512bf16.cvtne2ps2bf16.512(<16 x float>, <16 x float>)
define void @integers(ptr %out, ptr %x, ptr %y, ptr %z) {
  %a = load <16 x float>, ptr %x, align 4
  %b = load <16 x i32>, ptr %y, align 4
  %r = call <16 x i32> @llvm.x86.avx512.mask.cvtps2dq.512(<16 x float> %a, <16 x i32> %b, i16 -1, i32 4)
  store <16 x i32> %r, ptr %out, align 4
  ret void
}
define void @masked(ptr %out, ptr %x, ptr %y, ptr %z) {
  %a = load <16 x float>, ptr %x, align 4
  %b = load <16 x i32>, ptr %y, align 4
  %m = load i16, ptr %z, align 4
  %r = call <16 x i32> @llvm.x86.avx512.mask.cvtps2dq.512(<16 x float> %a, <16 x i32> %b, i16 %m, i32 4)
  store <16 x i32> %r, ptr %out, align 4
  ret void
}
define void @fraction(ptr %out, ptr %x, ptr %y, ptr %z) {
  %a = load <16 x float>, ptr %x, align 4
  %r = call <16 x float> @llvm.x86.avx512.mask.reduce.ps.512(<16 x float> %a, i32 9, <16 x float> %a, i16 -1, i32 4)
  store <16 x float> %r, ptr %out, align 4
  ret void
}
define void @scaled(ptr %out, ptr %x, ptr %y, ptr %z) {
  %a = load <16 x float>, ptr %x, align 4
  %b = load <16 x float>, ptr %y, align 4
  %m = load i16, ptr %z, align 4
  %r = call <16 x float> @llvm.x86.avx512.mask.scalef.ps.512(<16 x float> %a, <16 x float> %b, <16 x float> zeroinitializer, i16 %m, i32 4)
  store <16 x float> %r, ptr %out, align 4
  ret void
}
define void @dot(ptr %out, ptr %x, ptr %y, ptr %z) {
  %a = load <16 x float>, ptr %x, align 4
  %b = load <32 x bfloat>, ptr %y, align 4
  %w = load <16 x i32>, ptr %z, align 4
  %c = bitcast <16 x i32> %w to <32 x bfloat>
  %r = call <16 x float> @llvm.x86.avx512bf16.dpbf16ps.512(<16 x float> %a, <32 x bfloat> %b, <32 x bfloat> %c)
  store <16 x float> %r, ptr %out, align 4
  ret void
}
define void @narrow(ptr %out, ptr %x, ptr %y, ptr %z) {
  %a = load <16 x float>, ptr %x, align 4
  %r = call <16 x bfloat> @llvm.x86.avx512bf16.cvtneps2bf16.512(<16 x float> %a)
  store <16 x bfloat> %r, ptr %out, align 4
  ret void
}
define void @narrowBoth(ptr %out, ptr %x, ptr %y, ptr %z) {
  %a = load <16 x float>, ptr %x, align 4
  %b = load <16 x float>, ptr %y, align 4
  %r = call <32 x bfloat> @llvm.x86.avx512bf16.cvtne2ps2bf16.512(<16 x float> %a, <16 x float> %b)
  %h = bitcast <32 x bfloat> %r to <32 x i16>
  store <32 x i16> %h, ptr %out, align 4
  ret void
}
)";

/// The program as code for a machine, with what that lacks written out.
class Code {
public:
  explicit Code(const char *cpu) : machine(*attn::lookupX86Machine(cpu)) {
    attn::x86::initialize();
    auto context = std::make_unique<LLVMContext>();
    SMDiagnostic diagnostic;
    auto module = parseAssemblyString(kProgram, diagnostic, *context);
    if (!module)
      report_fatal_error(diagnostic.getMessage());
    cantFail(attn::x86::writeOutWide(*module, machine));
    EXPECT_FALSE(verifyModule(*module, &errs()));
    for (Function &function : *module)
      if (function.isDeclaration())
        EXPECT_FALSE(machine.vectorBytes < 64 && function.getName().contains("512")) << function.getName().str();
    orc::JITTargetMachineBuilder builder(Triple("x86_64-unknown-linux-gnu"));
    builder.setCPU(machine.cpu);
    SmallVector<StringRef> features;
    StringRef(machine.features).split(features, ',', -1, false);
    builder.addFeatures(std::vector<std::string>(features.begin(), features.end()));
    jit = cantFail(orc::LLJITBuilder().setJITTargetMachineBuilder(std::move(builder)).create());
    module->setDataLayout(jit->getDataLayout());
    cantFail(jit->addIRModule(orc::ThreadSafeModule(std::move(module), std::move(context))));
  }
  Words run(StringRef name, const Words &x, const Words &y = {}, const Words &z = {}) {
    Words out{};
    auto *function = cantFail(jit->lookup(name)).toPtr<void(void *, const void *, const void *, const void *)>();
    function(&out, &x, &y, &z);
    return out;
  }

private:
  const attn::X86Machine &machine;
  std::unique_ptr<orc::LLJIT> jit;
};

/// Code for x86-64-v3, and for the level that has all of it, where the CPU does.
struct WideEmulation : ::testing::Test {
  static void SetUpTestSuite() {
    if (!__builtin_cpu_supports("avx2"))
      return;
    emulated = new Code("x86-64-v3");
    if (__builtin_cpu_supports("avx512bf16"))
      own = new Code("x86-64-v4-bf16");
  }
  static void TearDownTestSuite() {
    delete emulated, delete own;
    emulated = own = nullptr;
  }
  void SetUp() override {
    if (!emulated)
      GTEST_SKIP() << "this CPU has no AVX2";
  }
  static bool isNaN(uint32_t x) { return (x & 0x7fffffff) > 0x7f800000; }
  /// `floats`: of NaN it is only asked that they are some.
  static void check(StringRef name, const Words &expected, bool floats, const Words &x, const Words &y = {},
                    const Words &z = {}) {
    std::vector<std::pair<const char *, Words>> all{{"emulated", emulated->run(name, x, y, z)}};
    if (own)
      all.push_back({"instruction", own->run(name, x, y, z)});
    for (auto &[who, got] : all)
      for (unsigned lane = 0; lane < 16; ++lane)
        EXPECT_TRUE(got[lane] == expected[lane] || (floats && isNaN(got[lane]) && isNaN(expected[lane])))
            << who << " " << name.str() << std::hex << " of " << x[lane] << " " << y[lane] << " " << z[lane] << ": "
            << got[lane] << ", expected " << expected[lane];
  }
  static Code *emulated, *own;
};
Code *WideEmulation::emulated, *WideEmulation::own;

/// Patterns of f32 about every border, and any.
struct Patterns {
  uint32_t next() {
    static constexpr uint32_t borders[] = {
        0,          1,          0x7fff,     0x8000,     0x18000,    0x7fffff,   0x7f8000,
        0x800000,   0x800001, // 2^-126
        0x807fff,   0x808000,   0x808001,   0x818000,   0x817fff,   0x3f800000, 0x3f808000,
        0x3f818000, 0x3f818001, 0x3f817fff, 0x7f7fffff, 0x7f7f8000, 0x7f7f7fff, 0x7f800000,
        0x7f800001, 0x7f808000, 0x7f80ffff, 0x7fbfffff, 0x7fc00000, 0x7fffffff, 0x4effffff,
        0x4f000000, 0x3f000000, 0x3fc00000, 0x40200000,
    };
    uint32_t r = uint32_t(random()), sign = r & 0x80000000;
    if (r % 3 == 0)
      return borders[(r >> 8) % std::size(borders)] ^ sign;
    return uint32_t(random());
  }
  Words words() {
    Words x;
    for (uint32_t &w : x)
      w = next();
    return x;
  }
  std::mt19937_64 random{1};
};

constexpr int kRounds = 20000;

uint32_t narrowed(uint32_t x) {
  if ((x & 0x7f800000) == 0)
    return (x & 0x80000000) >> 16;
  if ((x & 0x7fffffff) > 0x7f800000)
    return x >> 16 | 0x40;
  const uint32_t low = x & 0xffff, upper = x >> 16;
  return upper + (low > 0x8000 || (low == 0x8000 && upper % 2));
}

/// a b + c as the instruction has it: whose operands and results below 2^-126 are zeros.
float flushedFma(float a, float b, float c) {
  const unsigned before = _mm_getcsr();
  _mm_setcsr(0x9fc0); // nothing traps, subnormal numbers are zeros, to nearest
  volatile float x = a, y = b, z = c, r = 0;
  r = _mm_cvtss_f32([](float x, float y, float z) __attribute__((target("fma"), noinline)) {
    return _mm_fmadd_ss(_mm_set_ss(x), _mm_set_ss(y), _mm_set_ss(z));
  }(x, y, z));
  const float result = r;
  _mm_setcsr(before);
  return result;
}

uint32_t dotOf(uint32_t sum, uint32_t x, uint32_t y) {
  auto real = [](uint32_t w) { return llvm::bit_cast<float>(w); };
  const float odd = flushedFma(real(x & 0xffff0000), real(y & 0xffff0000), real(sum));
  return llvm::bit_cast<uint32_t>(flushedFma(real(x << 16), real(y << 16), odd));
}

TEST_F(WideEmulation, ConversionToBf16) {
  Patterns patterns;
  for (int round = 0; round < kRounds; ++round) {
    Words x = patterns.words(), y = patterns.words(), one{}, both{};
    for (unsigned lane = 0; lane < 16; ++lane) {
      one[lane / 2] |= narrowed(x[lane]) << 16 * (lane % 2);
      both[lane / 2] |= narrowed(y[lane]) << 16 * (lane % 2);
      both[8 + lane / 2] |= narrowed(x[lane]) << 16 * (lane % 2);
    }
    check("narrow", one, false, x);
    check("narrowBoth", both, false, x, y);
    if (HasFailure())
      return;
  }
}

TEST_F(WideEmulation, Dot) {
  Patterns patterns;
  for (int round = 0; round < kRounds; ++round) {
    Words sum = patterns.words(), x = patterns.words(), y = patterns.words(), expected;
    if (round % 2) // halves of which nearly all are small beside nearly all sums
      for (unsigned lane = 0; lane < 16; ++lane) {
        const uint32_t exponents = uint32_t(patterns.random() % 64);
        sum[lane] = (sum[lane] & 0x803fffff) | (exponents % 4) << 23 | (round % 4 == 1 ? 0 : sum[lane] & 0x400000);
        x[lane] = (x[lane] & 0x807f807f) | (63 - exponents % 8) << 23 | (63 - exponents / 8) << 7;
        y[lane] = (y[lane] & 0x807f807f) | (40 + exponents) << 23 | (66 + exponents % 5) << 7;
      }
    for (unsigned lane = 0; lane < 16; ++lane)
      expected[lane] = dotOf(sum[lane], x[lane], y[lane]);
    check("dot", expected, true, sum, x, y);
    if (HasFailure())
      return;
  }
}

// What would be 2^-126 as a subnormal number, but is less as rounded to 24 bits, is zero: tininess is judged after
// rounding. The first product is 0, the second 2^-126 less 3/4 of 2^-150, or such a thing.
TEST_F(WideEmulation, DotJustBelowTheSmallest) {
  Words sum, x, y, expected;
  const uint32_t products[][2] = {{0x9a40, 0x1980}, {0x9a00, 0x1980}, {0x9a60, 0x1980}, {0x9a20, 0x1980}};
  for (unsigned lane = 0; lane < 16; ++lane) {
    sum[lane] = 0x00800000 + lane / 8;
    x[lane] = products[lane % 4][0] ^ (lane / 4 % 2 << 15), y[lane] = products[lane % 4][1];
    expected[lane] = dotOf(sum[lane], x[lane], y[lane]);
  }
  check("dot", expected, true, sum, x, y);
}

// Patterns of bits are rarely near 0, where a fraction is left; y is.
TEST_F(WideEmulation, Fraction) {
  Patterns patterns;
  for (int round = 0; round < kRounds / 10; ++round) {
    Words x = patterns.words(), expected;
    for (unsigned lane = 0; lane < 16; ++lane) {
      if (lane % 2)
        x[lane] = llvm::bit_cast<uint32_t>(float(int32_t(x[lane])) * 0x1p-23f);
      const float v = llvm::bit_cast<float>(x[lane]);
      float left = v - std::floor(v);
      if (v > -1 && v < 0 && double(left) - 1 > double(v)) // rounded down
        left = std::nextafter(left, 0.f);
      expected[lane] = std::isinf(v) ? 0 : left == 0 ? 0x80000000 : llvm::bit_cast<uint32_t>(left);
    }
    check("fraction", expected, true, x);
  }
}

TEST_F(WideEmulation, Scaled) {
  Patterns patterns;
  for (int round = 0; round < kRounds / 10; ++round) {
    Words x = patterns.words(), y = patterns.words(), mask = patterns.words(), expected;
    for (unsigned lane = 0; lane < 16; ++lane) {
      if (lane % 4)
        y[lane] = llvm::bit_cast<uint32_t>(float(int32_t(y[lane])) * 0x1p-23f);
      const float v = llvm::bit_cast<float>(x[lane]), n = llvm::bit_cast<float>(y[lane]);
      const double power =
          std::isinf(n) ? n > 0 ? INFINITY : 0 : std::exp2(std::fmax(std::fmin(std::floor(double(n)), 400), -400));
      const float r = std::isnan(n) ? n : float(double(v) * power);
      expected[lane] = mask[0] >> lane & 1 ? llvm::bit_cast<uint32_t>(r) : 0;
    }
    check("scaled", expected, true, x, y, mask);
  }
}

TEST_F(WideEmulation, Integers) {
  Patterns patterns;
  for (int round = 0; round < kRounds / 10; ++round) {
    Words x = patterns.words(), other = patterns.words(), mask = patterns.words(), all, some;
    for (unsigned lane = 0; lane < 16; ++lane) {
      const double value = std::nearbyint(double(llvm::bit_cast<float>(x[lane])));
      const bool inside = value >= -0x1p31 && value < 0x1p31; // not of NaN
      all[lane] = inside ? uint32_t(int32_t(value)) : 0x80000000;
      some[lane] = mask[0] >> lane & 1 ? all[lane] : other[lane];
    }
    check("integers", all, false, x, other);
    check("masked", some, false, x, other, mask);
  }
}

// What has no function is refused, not left for a CPU that has not got it.
TEST(WideEmulationRefusal, OtherInstructions) {
  LLVMContext context;
  SMDiagnostic diagnostic;
  auto module =
      parseAssemblyString("declare <16 x float> @llvm.x86.avx512.rsqrt14.ps.512(<16 x float>, <16 x float>, i16)\n"
                          "define <16 x float> @f(<16 x float> %x) {\n"
                          "  %r = call <16 x float> @llvm.x86.avx512.rsqrt14.ps.512(<16 x float> %x, <16 x "
                          "float> %x, i16 -1)\n  ret <16 x float> %r\n}\n",
                          diagnostic, context);
  ASSERT_TRUE(module) << diagnostic.getMessage().str();
  Error e = attn::x86::writeOutWide(*module, *attn::lookupX86Machine("x86-64-v3"));
  EXPECT_NE(toString(std::move(e)).find("llvm.x86.avx512.rsqrt14.ps.512 has no emulation"), std::string::npos);
}

} // namespace
