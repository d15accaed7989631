// Products of bf16 operands that stay bf16 (x86-64-v4-bf16, x86-64-v4-amx), beside those of x86-64-v4 and the
// interpreter; and emulation of what a CPU lacks of these levels, by which they run on any with AVX2.
#include "Harness.h"

#include <cstdlib>

using namespace attn;
using namespace attn::test;

namespace {

/// ATTN_EMULATE while it lives: a value, or none.
struct Emulate {
  explicit Emulate(const char *value) : before(std::getenv("ATTN_EMULATE") ? std::getenv("ATTN_EMULATE") : "") {
    set(value);
  }
  ~Emulate() { set(before.c_str()); }
  static void set(const std::string &value) {
    if (value.empty())
      unsetenv("ATTN_EMULATE");
    else
      setenv("ATTN_EMULATE", value.c_str(), 1);
  }
  std::string before;
};

bool hasAvx512() {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512cd");
}
bool hasBf16() { return hasAvx512() && __builtin_cpu_supports("avx512bf16"); }

std::unique_ptr<test::Program> compiled(const Attention &a, Blocks blocks, const std::string &target,
                                        const char *emulate) {
  Emulate emulated(emulate);
  std::string message;
  auto p = test::Program::make(a.text(), blocks, message, "auto", target);
  EXPECT_TRUE(p) << message;
  return p;
}

/// EmulatedTiles are on what vectors the CPU has; the emulated level has nothing but AVX2.
enum class How { Words, Tiles, EmulatedWords, EmulatedTiles };

std::unique_ptr<test::Program> compiled(const Attention &a, Blocks blocks, How how) {
  const bool words = how == How::Words || how == How::EmulatedWords;
  return compiled(a, blocks, words ? "x86-64-v4-bf16" : "x86-64-v4-amx",
                  how == How::EmulatedWords   ? "avx512"
                  : how == How::EmulatedTiles ? "amx"
                                              : "");
}

Attention attention(int64_t d, int64_t dv, const std::string &set = "") {
  Attention a;
  a.d = d, a.dv = dv, a.element = "bf16", a.set = set;
  return a;
}

class Bf16 : public ::testing::TestWithParam<How> {
protected:
  void SetUp() override {
    if (GetParam() == How::Words && !hasBf16())
      GTEST_SKIP() << "this CPU has no AVX512-BF16";
    if (GetParam() == How::Tiles && !__builtin_cpu_supports("amx-bf16"))
      GTEST_SKIP() << "this CPU has no tiles";
  }
  static std::unique_ptr<test::Program> make(const Attention &a, Blocks blocks) {
    return compiled(a, blocks, GetParam());
  }
};

TEST_P(Bf16, ExtentsAndLengths) {
  for (auto [d, dv] : {std::pair<int64_t, int64_t>{1, 1}, {2, 33}, {31, 32}, {33, 5}, {64, 64}, {80, 48}, {127, 130}})
    for (Blocks blocks : {Blocks{14, 32}, Blocks{}})
      for (const char *set : {"full", "causal<bottom_right>"}) {
        Attention a = attention(d, dv, set);
        auto p = make(a, blocks);
        ASSERT_TRUE(p);
        for (auto [I, J] : {std::pair<int64_t, int64_t>{1, 1}, {20, 33}, {45, 97}, {30, 300}}) {
          // The rule takes plain's largest error for a measure, which that of two rows is not.
          Call call{normalInputs(a, 1, I == 1 ? 32 : 2, I, J, uint64_t(d * 7 + J))};
          EXPECT_EQ(check(*p, call), "") << d << " " << dv << " " << I << " x " << J << " " << set;
        }
      }
}

TEST_P(Bf16, Layouts) {
  Attention a = attention(48, 40, "causal<bottom_right>");
  auto p = make(a, {14, 32});
  ASSERT_TRUE(p);
  Call dense{normalInputs(a, 2, 2, 30, 70, 5)};
  EXPECT_EQ(check(*p, dense), "");
  // Features that do not stand next to each other: the same numbers, so the same bits.
  Call strided{dense.inputs};
  for (Tensor &x : strided.inputs) {
    Tensor y(x.element, x.shape, {.order = {0, 1, 3, 2}});
    y.fill([&](auto at) { return x.get(at); });
    x = y;
  }
  strided.run(*p);
  EXPECT_TRUE(sameBits(dense, strided));
}

// The instruction takes elements below 2^-126 for zeros and loses products below it; blocks with such elements go
// another way. Scores, or values, are made of them alone: what is lost would be all.
TEST_P(Bf16, TinyElements) {
  Attention a = attention(16, 16);
  a.scale = "1.0";
  auto p = make(a, {14, 32});
  ASSERT_TRUE(p);
  for (double size : {0x1p-133, 0x1p-127, 0x1p-100, 0x1p-66, 0x1p-57, 0x1p-56}) {
    for (double other : {1.0, 0x1p-66, 0x1p60, 0x1p120}) {
      for (unsigned tiny : {0u, 1u, 2u}) {
        // One key: lse is its score.
        Call call{normalInputs(a, 1, 1, 20, 1, 3)};
        for (unsigned n = 0; n < 2 && tiny < 2; ++n)
          call.inputs[n].fill([&](auto at) { return (n == tiny ? size : other) * (at[3] % 3 == 1); });
        if (tiny == 2)
          call.inputs[2].fill([&](auto at) { return size * double(1 + at[3] % 3); });
        EXPECT_EQ(check(*p, call), "") << "operand " << tiny << " of " << size << " beside " << other;
      }
    }
  }
}

// A tiny element, a NaN or an infinity in rows that a query does not see changes none of its bits.
TEST_P(Bf16, UnseenRows) {
  Attention a = attention(32, 32, "causal<bottom_right>");
  auto p = make(a, {14, 32});
  ASSERT_TRUE(p);
  Call clean{normalInputs(a, 1, 1, 40, 40, 11)};
  EXPECT_EQ(check(*p, clean), "");
  for (double poison : {0x1p-130, -0x1p-60, kNaN, kInf, -kInf})
    for (unsigned operand : {1u, 2u}) {
      Call call{clean.inputs};
      for (int64_t key = 33; key < 40; ++key)
        for (int64_t c = 0; c < 32; c += 5)
          call.inputs[operand].set({0, 0, key, c}, poison);
      call.run(*p);
      for (size_t r = 0; r < clean.outputs.size(); ++r)
        call.outputs[r].each([&](llvm::ArrayRef<int64_t> x) {
          if (x[2] < 33)
            EXPECT_EQ(call.outputs[r].bits(x), clean.outputs[r].bits(x)) << poison << " in operand " << operand;
        });
    }
}

// Whose score is of f32 products: the same bits as without the instruction, but for the order of two features.
TEST_P(Bf16, NearTheOtherLevel) {
  Attention a = attention(64, 64, "causal<bottom_right>");
  auto p = make(a, {}), plain = compiled(a, {}, "x86-64-v4", hasAvx512() ? "" : "avx512");
  ASSERT_TRUE(p && plain);
  Call call{normalInputs(a, 1, 2, 100, 300, 21)}, other{call.inputs};
  EXPECT_EQ(check(*p, call), "");
  EXPECT_EQ(check(*plain, other), "");
  call.outputs[1].each([&](llvm::ArrayRef<int64_t> x) { // lse
    EXPECT_NEAR(call.outputs[1].get(x), other.outputs[1].get(x), 2e-6);
  });
}

// The emulation is what the instruction does.
TEST(Tiles, SameBitsAsEmulated) {
  if (!__builtin_cpu_supports("amx-bf16"))
    GTEST_SKIP() << "this CPU has no tiles";
  Attention a = attention(72, 40, "causal<bottom_right>");
  auto p = compiled(a, {}, How::Tiles), emulated = compiled(a, {}, How::EmulatedTiles);
  ASSERT_TRUE(p && emulated);
  Call call{normalInputs(a, 1, 2, 100, 300, 23)}, other{call.inputs};
  call.run(*p), other.run(*emulated);
  EXPECT_TRUE(sameBits(call, other));
}

// So is that of vectors: LLVM's halves of them and the functions of what only AVX-512 has.
TEST(WideVectors, SameBitsAsEmulated) {
  if (!hasAvx512())
    GTEST_SKIP() << "this CPU has no AVX-512";
  for (const char *element : {"f32", "f16", "bf16", "f64"})
    for (const char *target : {"x86-64-v4", "x86-64-v4-bf16"}) {
      if (target == std::string("x86-64-v4-bf16") && !hasBf16())
        continue;
      Attention a = attention(72, 40, "causal<bottom_right>");
      a.element = element;
      auto p = compiled(a, {}, target, ""), emulated = compiled(a, {}, target, "avx512");
      ASSERT_TRUE(p && emulated);
      Call call{normalInputs(a, 1, 2, 100, 300, 23)}, other{call.inputs};
      call.run(*p), other.run(*emulated);
      EXPECT_TRUE(sameBits(call, other)) << element << " " << target;
    }
}

// Code that is to run on a lower level says that it is of that, and has nothing else.
TEST(Emulation, Level) {
  for (const char *target : {"x86-64-v4", "x86-64-v4-bf16", "x86-64-v4-amx"}) {
    CompileOptions options;
    options.target = target;
    options.runsOn = "x86-64-v3";
    Emulate none("");
    auto kernel = attn::compile(attention(32, 32).text(), options);
    ASSERT_TRUE(bool(kernel)) << llvm::toString(kernel.takeError());
    EXPECT_EQ(kernel->info().isa, ATTN_ISA_X86_64_V3);
    EXPECT_GT(kernel->level(), ATTN_ISA_X86_64_V3);
    EXPECT_EQ(kernel->emulated(), target == std::string("x86-64-v4-amx") ? "AVX-512 and tiles" : "AVX-512");
    auto text = attn::emit(attention(32, 32).text(), options, llvm::ArrayRef<llvm::StringRef>{"s", "ll"});
    ASSERT_TRUE(bool(text)) << llvm::toString(text.takeError());
    const std::string &assembly = (*text)[0], &ir = (*text)[1];
    EXPECT_NE(assembly.find("ymm"), std::string::npos);
    for (const char *beyond : {"zmm", "tmm", "%k1", "ymm16", "vdpbf16ps", "vcvtne"})
      EXPECT_EQ(assembly.find(beyond), std::string::npos) << beyond << " for " << target;
    EXPECT_NE(ir.find("@attn_wide_"), std::string::npos);
    EXPECT_EQ(ir.find("@llvm.x86.avx512"), std::string::npos);
  }
  CompileOptions own;
  own.target = "x86-64-v3";
  own.runsOn = "x86-64-v4"; // above the target: there is nothing to emulate
  Emulate none("");
  auto kernel = attn::compile(attention(32, 32).text(), own);
  ASSERT_TRUE(bool(kernel)) << llvm::toString(kernel.takeError());
  EXPECT_EQ(kernel->emulated(), "");
  EXPECT_EQ(kernel->level(), ATTN_ISA_X86_64_V3);
}

// What is for tests is no object, nor one of several levels, nor for CPUs whose vectors are shorter.
TEST(Emulation, Refused) {
  auto why = [](const char *target, const char *runsOn, const char *kind) -> std::string {
    CompileOptions options;
    options.target = target;
    options.runsOn = runsOn;
    auto output = attn::emit(attention(32, 32).text(), options, kind);
    return output ? "" : llvm::toString(output.takeError());
  };
  for (const char *kind : {"o", "a"}) {
    EXPECT_NE(why("x86-64-v4", "x86-64-v3", kind).find("[unsupported_emulation]"), std::string::npos);
    EXPECT_NE(why("x86-64-v4-amx", "x86-64-v4-bf16", kind).find("[unsupported_emulation]"), std::string::npos);
    EXPECT_EQ(why("x86-64-v4", "x86-64-v4-bf16", kind), "");
  }
  EXPECT_NE(why("x86-64-v3,x86-64-v4", "x86-64-v3", "s").find("[unsupported_emulation]"), std::string::npos);
  EXPECT_NE(why("x86-64-v4", "x86-64-v2", "s").find("[input_runs_on]"), std::string::npos);
  EXPECT_NE(why("x86-64-v4", "sm_80", "s").find("[input_runs_on]"), std::string::npos);
}

TEST(Tiles, EmulatedCalls) {
  CompileOptions options;
  options.target = "x86-64-v4-amx";
  options.runsOn = "x86-64-v4-bf16";
  auto ir = attn::emit(attention(32, 32).text(), options, "ll");
  ASSERT_TRUE(bool(ir));
  EXPECT_NE(ir->find("call void @attn_tile_dot("), std::string::npos);
  EXPECT_EQ(ir->find("call void @llvm.x86.tdpbf16ps"), std::string::npos);
  EXPECT_EQ(ir->find("@attn_wide_"), std::string::npos);
}

// A row's bits do not depend on how many other rows there are, which decides what shares a product with it.
TEST_P(Bf16, RowsAlone) {
  Attention a = attention(40, 72);
  auto p = make(a, {});
  ASSERT_TRUE(p);
  Call all{normalInputs(a, 1, 1, 90, 200, 29)};
  all.run(*p);
  for (int64_t count : {65, 40, 33, 20, 9}) {
    Call some{normalInputs(a, 1, 1, count, 200, 29)};
    for (unsigned n = 0; n < 3; ++n)
      some.inputs[n].fill([&](auto at) { return all.inputs[n].get(at); });
    some.run(*p);
    for (size_t r = 0; r < some.outputs.size(); ++r)
      some.outputs[r].each([&](llvm::ArrayRef<int64_t> x) {
        EXPECT_EQ(some.outputs[r].bits(x), all.outputs[r].bits(x)) << "row " << x[2] << " of " << count;
      });
  }
}

INSTANTIATE_TEST_SUITE_P(Words, Bf16, ::testing::Values(How::Words));
INSTANTIATE_TEST_SUITE_P(EmulatedWords, Bf16, ::testing::Values(How::EmulatedWords));
INSTANTIATE_TEST_SUITE_P(Tiles, Bf16, ::testing::Values(How::Tiles));
INSTANTIATE_TEST_SUITE_P(EmulatedTiles, Bf16, ::testing::Values(How::EmulatedTiles));

} // namespace
