// A product made as the layouts say, in the simulator, which knows the instructions and no layout: S = Q K^T of 16 rows
// and 16 keys, then O = P V with the accumulators as they are for P. All numbers are small integers, so sums are exact.
#include "attn/Layout/FragmentLayout.h"
#include "attn/Layout/SharedRows.h"
#include "attn/Sim/Launch.h"

#include <gtest/gtest.h>

#include <cstring>

using namespace attn::layout;
using namespace attn::sim;

namespace {

constexpr int64_t kSide = 16; // rows, keys, features
const SharedRows kRows{kSide, kSide, 2};
constexpr int64_t kOut = 16; // f32 a lane: scores, then sums

int q(int64_t i, int64_t c) { return int((3 * i + 5 * c) % 7) - 3; }
int k(int64_t j, int64_t c) { return int((j + 2 * c) % 5) - 2; }
int v(int64_t j, int64_t e) { return int((7 * j + 3 * e) % 9) - 4; }

uint16_t bf16(int x) {
  float f = float(x);
  uint32_t bits;
  memcpy(&bits, &f, 4);
  return uint16_t(bits >> 16);
}

/// Of a lane, by two instructions a digit, as the compiler emits it.
std::string digits(const std::string &to, const Digits &of, int64_t scale) {
  std::string text = "mov.u32 " + to + ", 0;\n";
  for (const Digit &d : of.digits) {
    text += "div.u32 %t0, %lane, " + std::to_string(d.divisor) + ";\n";
    if (d.extent)
      text += "rem.u32 %t0, %t0, " + std::to_string(d.extent) + ";\n";
    text += "mad.lo.u32 " + to + ", %t0, " + std::to_string(d.stride * scale) + ", " + to + ";\n";
  }
  return text;
}

std::string load(const std::string &to, const MatrixLoad &how, int64_t at) {
  std::string text = digits("%a0", how.row, kRows.rowBytes) + digits("%a1", how.bytes, 1) +
                     "add.u32 %a0, %a0, %a1;\nadd.u32 %a0, %a0, %memory;\nldmatrix.sync.aligned.m8n8.x4";
  text += how.transposed ? ".trans" : "";
  text += ".shared.b16 {";
  for (int n = 0; n < 4; ++n)
    text += (n ? ", " : "") + ("%" + to + std::to_string(n));
  return text + "}, [%a0+" + std::to_string(at) + "];\n";
}

std::string mma(const std::string &a, const std::string &b, int tile, const std::string &d) {
  auto list = [](const std::string &name, int first, int count) {
    std::string text = "{";
    for (int n = first; n < first + count; ++n)
      text += (n > first ? ", " : "") + ("%" + name + std::to_string(n));
    return text + "}";
  };
  return "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 " + list(d, 4 * tile, 4) + ", " + list(a, 0, 4) + ", " +
         list(b, 2 * tile, 2) + ", {%z, %z, %z, %z};\n";
}

struct Product {
  Report report;
  std::vector<float> out; // of a lane: scores by element, then sums by element
};

Product run() {
  const int64_t plane = kRows.bytes(), words = 3 * plane / 4;
  std::string text = ".version 8.4\n.target sm_80\n.address_size 64\n"
                     ".visible .entry k(.param .u64 in, .param .u64 out) {\n"
                     ".reg .b64 %in, %out;\n.reg .b32 %lane, %memory, %t<4>, %a<4>, %w, %q<4>, %k<4>, %v<4>, %p<4>;\n"
                     ".reg .f32 %z, %s<8>, %o<8>;\n.shared .align 16 .b8 memory[4096];\n"
                     "ld.param.u64 %in, [in];\nld.param.u64 %out, [out];\nmov.u32 %lane, %tid.x;\n"
                     "mov.u32 %memory, memory;\nmov.f32 %z, 0f00000000;\n"
                     "mad.wide.u32 %in, %lane, 4, %in;\nmad.lo.u32 %a2, %lane, 4, %memory;\n";
  for (int64_t word = 0; word < words; word += kLanes)
    text += "ld.global.u32 %w, [%in+" + std::to_string(4 * word) + "];\nst.shared.u32 [%a2+" +
            std::to_string(4 * word) + "], %w;\n";
  text += "bar.sync 0;\n" + load("q", MatrixLoad::left(), 0) + load("k", MatrixLoad::right(), plane) +
          load("v", MatrixLoad::rightTransposed(), 2 * plane);
  for (int tile = 0; tile < 2; ++tile)
    text += mma("q", "k", tile, "s");
  // Elements 2 n and 2 n + 1 of the left operand are what the accumulators have for them.
  const auto taken = *takenFrom(FragmentLayout::left(16, kSide), FragmentLayout::accumulator(kSide));
  for (size_t n = 0; n < 4; ++n)
    text += "cvt.rn.bf16x2.f32 %p" + std::to_string(n) + ", %s" + std::to_string(taken[2 * n + 1]) + ", %s" +
            std::to_string(taken[2 * n]) + ";\n";
  for (int tile = 0; tile < 2; ++tile)
    text += mma("p", "v", tile, "o");
  text += "mad.wide.u32 %out, %lane, " + std::to_string(4 * kOut) + ", %out;\n";
  for (int n = 0; n < 8; ++n)
    text += "st.global.f32 [%out+" + std::to_string(4 * n) + "], %s" + std::to_string(n) + ";\nst.global.f32 [%out+" +
            std::to_string(4 * (8 + n)) + "], %o" + std::to_string(n) + ";\n";
  text += "ret;\n}\n";

  std::vector<Argument> arguments(2);
  arguments[0].name = "in", arguments[0].isBuffer = true;
  arguments[0].data.resize(size_t(3 * plane));
  for (int64_t row = 0; row < kSide; ++row)
    for (int64_t column = 0; column < kSide; ++column) {
      const uint16_t bits[] = {bf16(q(row, column)), bf16(k(row, column)), bf16(v(row, column))};
      for (int64_t n = 0; n < 3; ++n)
        memcpy(&arguments[0].data[size_t(n * plane + kRows.offset(row, column))], &bits[n], 2);
    }
  arguments[1].name = "out", arguments[1].isBuffer = true, arguments[1].defined = false;
  arguments[1].data.resize(size_t(kLanes * kOut * 4));
  LaunchOptions options;
  options.block = {uint32_t(kLanes), 1, 1};
  Product result;
  try {
    result.report = launch(parseModule(text), "k", arguments, options);
  } catch (const Error &e) {
    ADD_FAILURE() << e.place.line << ": " << e.what();
    return result;
  }
  for (const Finding &finding : result.report.findings)
    ADD_FAILURE() << describe(finding, "k.ptx");
  result.out.resize(size_t(kLanes * kOut));
  memcpy(result.out.data(), arguments[1].data.data(), arguments[1].data.size());
  return result;
}

} // namespace

TEST(Simulator, ProductsAreThoseOfTheMatrices) {
  Product product = run();
  ASSERT_EQ(product.out.size(), size_t(kLanes * kOut));
  const FragmentLayout accumulator = FragmentLayout::accumulator(kSide);
  auto score = [](int64_t i, int64_t j) {
    int sum = 0;
    for (int64_t c = 0; c < kSide; ++c)
      sum += q(i, c) * k(j, c);
    return sum;
  };
  for (int64_t lane = 0; lane < kLanes; ++lane)
    for (int64_t n = 0; n < accumulator.elements(); ++n) {
      const Cell cell = accumulator.at(lane, n);
      EXPECT_EQ(product.out[size_t(lane * kOut + n)], float(score(cell.row, cell.column))) << lane << " " << n;
      int sum = 0;
      for (int64_t j = 0; j < kSide; ++j)
        sum += score(cell.row, j) * v(j, cell.column);
      EXPECT_EQ(product.out[size_t(lane * kOut + 8 + n)], float(sum)) << lane << " " << n;
    }
}

// What is counted here is what is counted there.
TEST(Simulator, WavefrontsAreThoseOfTheLayout) {
  Product product = run();
  int64_t loads = 0;
  for (const SiteCounters &site : product.report.sites)
    if (site.instruction.find("ldmatrix") != std::string::npos) {
      std::vector<int64_t> addresses;
      for (int64_t lane = 0; lane < kLanes; ++lane)
        addresses.push_back(kRows.addressOf(MatrixLoad::left(), lane, 0, 0));
      EXPECT_EQ(int64_t(site.wavefronts), wavefronts(addresses, 16));
      EXPECT_EQ(site.wavefronts, site.idealWavefronts);
      ++loads;
    }
  EXPECT_EQ(loads, 3);
}
