// The error rule on numbers chosen by hand.
#include "attn/Support/ErrorRule.h"

#include <gtest/gtest.h>

#include <cmath>

using namespace attn;

namespace {

ErrorReport judge(Element element, std::vector<double> got, std::vector<double> exact, std::vector<double> plain,
                  int64_t row = 1) {
  return checkError({element, row, got, exact, plain});
}

} // namespace

TEST(ErrorRule, Rules) {
  const double eps = epsilonOf(Element::F32);
  EXPECT_TRUE(judge(Element::F32, {1, 2}, {1, 2}, {1, 2}).ratio == 0);
  // Plain errs by 1e-3 at 2: twice that is allowed, and 2 eps of the largest value.
  const ErrorReport limit = judge(Element::F32, {1.0015, 2}, {1, 2}, {1, 2.001});
  EXPECT_TRUE(limit.ok && limit.ratio > 0.74 && limit.ratio < 0.76 && limit.worst == 0);
  const ErrorReport over = judge(Element::F32, {1.0025, 2}, {1, 2}, {1, 2.001});
  EXPECT_TRUE(!over.ok && over.ratio > 1.2 && over.worst == 0 && over.maxError > 0.0024 && !over.what.empty());
  // A row of small numbers is not excused by the eps term of a large one.
  const std::vector<double> exact{1e6, 1e6, 1e-3, 1e-3}, got{1e6, 1e6, 1e-3 + 1e6 * eps, 1e-3};
  const ErrorReport row = judge(Element::F32, got, exact, exact, 2);
  EXPECT_TRUE(!row.ok && row.worst == 2 && row.what.find("row") != std::string::npos);
  EXPECT_TRUE(judge(Element::F32, got, exact, exact, 4).ok);

  // NaN and Inf must agree in place and sign; then they do not count.
  EXPECT_TRUE(judge(Element::F32, {NAN, -INFINITY, 1}, {NAN, -INFINITY, 1}, {0, 0, 1}).ok);
  for (auto [a, b] :
       {std::pair<double, double>{NAN, 1}, {1, NAN}, {INFINITY, -INFINITY}, {INFINITY, NAN}, {1, -INFINITY}}) {
    const ErrorReport r = judge(Element::F32, {0, a}, {0, b}, {0, 0});
    EXPECT_TRUE(!r.ok && std::isinf(r.ratio) && r.worst == 1);
  }
  // Rows that must be exact: an empty row's zero is a zero, however large plain's error elsewhere.
  const std::vector<double> zero{1e-9, 5}, want{0, 5}, rough{0, 6};
  const std::vector<char> flags{1, 0};
  EXPECT_TRUE(!checkError({Element::F32, 1, zero, want, rough, flags}).ok);
  EXPECT_TRUE(checkError({Element::F32, 1, zero, want, rough, {}}).ok);

  // 16 bits: one ulp of the largest output is always allowed, for the mean only what is usual.
  EXPECT_TRUE(judge(Element::BF16, {1 + 1.0 / 128, 1}, {1, 1}, {1, 1}).ok);
  EXPECT_TRUE(!judge(Element::BF16, {1 + 3.0 / 128, 1}, {1, 1}, {1, 1}).ok);
  const ErrorReport mean = judge(Element::F16, std::vector<double>(100, 1.05), std::vector<double>(100, 1), [] {
    std::vector<double> p(100, 1);
    p[0] = 1.05;
    return p;
  }());
  EXPECT_TRUE(!mean.ok && mean.what.find("mean") != std::string::npos);

  EXPECT_TRUE(checkError({Element::F32, 4, {}, {}, {}}).ok);
  EXPECT_TRUE(checkTolerance({1, NAN}, {1.00001, NAN}, 1e-4).ok);
  EXPECT_TRUE(!checkTolerance({1, NAN}, {1.001, NAN}, 1e-4).ok && !checkTolerance({NAN}, {1}, 1).ok);
  EXPECT_TRUE(checkTolerance({1}, {1}, 0).ok);
}
