// The error rule of gpu-check's runner, which has no C++, says the same as ErrorRule.h.
#include "attn/Support/ErrorRule.h"

extern "C" {
#include "../../../tools/gpu-check/gpu_check.h"
}

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

using namespace attn;

namespace {

constexpr std::pair<Element, int> elements[] = {
    {Element::F32, RULE_F32}, {Element::F64, RULE_F64}, {Element::BF16, RULE_BF16}, {Element::F16, RULE_F16}};

void expectSame(Element element, int code, int64_t row, const std::vector<double> &got,
                const std::vector<double> &exact, const std::vector<double> &plain) {
  std::vector<char> empty;
  for (size_t n = 0; row > 1 && n < exact.size(); n += size_t(row))
    empty.push_back(
        std::all_of(exact.begin() + long(n), exact.begin() + long(n) + row, [](double x) { return x == 0; }));
  const ErrorReport want = checkError({element, row, got, exact, plain, empty});
  rule_plain errors{0, 0};
  for (size_t n = 0; n < exact.size(); ++n)
    if (std::isfinite(exact[n]) && std::isfinite(plain[n])) {
      errors.most = std::max(errors.most, std::fabs(plain[n] - exact[n]));
      errors.mean += std::fabs(plain[n] - exact[n]) / double(exact.size());
    }
  const rule_report is = rule_check(code, int64_t(got.size()), row, got.data(), exact.data(), &errors, nullptr);
  EXPECT_EQ(want.ok, bool(is.ok));
  EXPECT_EQ(want.worst, is.worst);
  EXPECT_EQ(want.maxError, is.max_error);
  if (std::isfinite(want.ratio)) // the mean of the plain program's errors is summed in another order
    EXPECT_NEAR(want.ratio, is.ratio, 1e-14 * want.ratio);
  else
    EXPECT_EQ(want.ratio, is.ratio);
}

} // namespace

TEST(GpuCheckRule, AsErrorRule) {
  std::mt19937 random(3);
  std::normal_distribution<double> normal;
  const double odd[] = {NAN, INFINITY, -INFINITY, 0};
  int bad = 0, good = 0;
  for (int round = 0; round < 4000; ++round) {
    const auto [element, code] = elements[round % 4];
    const int64_t row = 1 + random() % 5, rows = random() % 6;
    const double eps = epsilonOf(element) * std::exp2(double(random() % 6) - 3);
    std::vector<double> got, exact, plain;
    for (int64_t n = 0; n < row * rows; ++n) {
      const double size = std::exp2(double(random() % 24) - 12), x = normal(random) * size;
      const double at = random() % 40 ? x : odd[random() % 4];
      exact.push_back(at);
      plain.push_back(at + x * eps * normal(random));
      got.push_back(random() % 60 ? at + x * eps * normal(random) : odd[random() % 4]);
    }
    if (rows && random() % 4 == 0)
      std::fill(exact.begin(), exact.begin() + row, 0.0), std::fill(got.begin(), got.begin() + row, 0.0);
    expectSame(element, code, row, got, exact, plain);
    (checkError({element, row, got, exact, plain}).ok ? good : bad)++;
  }
  EXPECT_TRUE(bad > 400 && good > 400) << bad << " bad, " << good << " good";
}

TEST(GpuCheckRule, Values) {
  for (int bits = 0; bits < 1 << 16; ++bits) {
    const uint16_t half = uint16_t(bits);
    for (const auto [element, code] : {elements[2], elements[3]}) {
      const double want = loadNumber(&half, element, 0), is = rule_value(code, &half, 0);
      EXPECT_TRUE(want == is || (std::isnan(want) && std::isnan(is))) << bits;
    }
  }
  const float single = 0.1f;
  const double wide = 0.1;
  EXPECT_EQ(rule_value(RULE_F32, &single, 0), double(single));
  EXPECT_EQ(rule_value(RULE_F64, &wide, 0), wide);
}
