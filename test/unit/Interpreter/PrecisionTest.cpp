// What Double and Plain mean for each element type.
#include "Harness.h"

using namespace attn::test;
using attn::interpreter::roundTo;

namespace {

/// Softmax of 40 keys in long double.
Expected reference(const Tensor &q, const Tensor &k, const Tensor &v) {
  std::vector<Pair> pairs;
  for (int64_t j = 0; j < 40; ++j) {
    long double dot = 0;
    for (int64_t c = 0; c < 16; ++c)
      dot += (long double)q({0, 0, 0, c}) * k({0, 0, j, c});
    pairs.push_back({(double)(dot / 4), [&v, j](int64_t e) { return v({0, 0, j, e}); }});
  }
  return softmaxRow(pairs, 16);
}

double worst(const RowResult &row, const Expected &want) {
  double error = std::abs(row.outputs.at("lse")[0] - want.lse);
  for (size_t e = 0; e < want.o.size(); ++e)
    error = std::max(error, std::abs(row.outputs.at("o")[e] - want.o[e]));
  return error;
}

struct Range {
  Format format;
  const char *name;
  double exact, least, most; // error of Double; bounds of Plain's
};

TEST(Precision, PlainErrs) {
  for (Range r : {Range{Format::F64, "f64", 2e-15, 1e-18, 1e-14}, Range{Format::F32, "f32", 2e-15, 1e-9, 3e-6},
                  Range{Format::BF16, "bf16", 2e-15, 1e-6, 1e-2}, Range{Format::F16, "f16", 2e-15, 1e-7, 1e-3}}) {
    SCOPED_TRACE(r.name);
    Tensor q = Tensor::random(r.format, {1, 1, 1, 16}, 1), k = Tensor::random(r.format, {1, 1, 40, 16}, 2),
           v = Tensor::random(r.format, {1, 1, 40, 16}, 3);
    Program program(simpleKernel(16, "", "", r.name));
    auto interpreter = Call{{q, k, v}}.create(program);
    Expected want = reference(q, k, v);
    EXPECT_LE(worst(interpreter->row({0, 0}, 0, Precision::Double), want), r.exact);
    double plain = worst(interpreter->row({0, 0}, 0, Precision::Plain), want);
    EXPECT_LE(plain, r.most);
    EXPECT_GE(plain, r.least);
  }
}

/// A program whose lse is the score: one key, phi(s) = s.
double scoreOf(const std::string &body, Precision precision, const char *element = "f32", double q = 1, double k = 1) {
  std::string acc = std::string(element) == "f64" ? "f64" : "f32";
  Program program(
      "attn.normalizer @id { attn.pass ref = none phi(%s) { attn.yield %s : f32 } sums(l = one, n = value)\n"
      "attn.finish(%l, %n) { attn.yield %l, %n : f32, f32 } outputs(lse, o) empty(0.0, 0.0) }\n" +
      simpleKernel(1, "scale = 1.0 score(%s : " + acc + ") { " + body + " } normalize = @id", "", element));
  Format f = acc == "f64" ? Format::F64 : Format::F32;
  Call call{{Tensor(f, {1, 1, 1, 1}, {q}), Tensor(f, {1, 1, 1, 1}, {k}), Tensor(f, {1, 1, 1, 1}, {1})}};
  return call.create(program)->row({0, 0}, 0, precision).outputs["lse"][0];
}

TEST(Precision, EveryPlainResultIsRounded) {
  const char *third = "%c = arith.constant 3.0 : f32 %x = arith.divf %s, %c : f32 attn.yield %x : f32";
  EXPECT_EQ(scoreOf(third, Precision::Plain), 1.0f / 3.0f);
  EXPECT_EQ(scoreOf(third, Precision::Double), 1.0 / 3.0);
  const char *wide = "%d = arith.extf %s : f32 to f64 %c = arith.constant 3.0 : f64 %x = arith.divf %d, %c : f64 "
                     "%m = arith.constant 0.25 : f64 %y = arith.subf %x, %m : f64 %t = arith.truncf %y : f64 to f32 "
                     "attn.yield %t : f32";
  EXPECT_EQ(scoreOf(wide, Precision::Plain), (float)(1.0 / 3.0 - 0.25));
  const char *narrow = "%b = arith.truncf %s : f32 to bf16 %x = arith.addf %b, %b : bf16 %t = arith.extf %x : bf16 to "
                       "f32 attn.yield %t : f32";
  EXPECT_EQ(scoreOf(narrow, Precision::Plain, "f32", 1.01), 2 * roundTo(Format::BF16, 1.01));
  const char *fma = "%c = arith.constant 3.0 : f32 %x = math.fma %s, %s, %c : f32 attn.yield %x : f32";
  EXPECT_EQ(scoreOf(fma, Precision::Plain, "f32", 1.1f), std::fma(1.1f, 1.1f, 3.0f));
}

TEST(Precision, DoublePrograms) {
  const char *third = "%c = arith.constant 3.0 : f64 %x = arith.divf %s, %c : f64 attn.yield %x : f64";
  EXPECT_EQ(scoreOf(third, Precision::Plain, "f64"), 1.0 / 3.0);
  // 1/10 - 0.1 is 0 in double, and what double lacks of it in long double.
  const char *residue = "%c = arith.constant 10.0 : f64 %x = arith.divf %s, %c : f64 %w = arith.constant 0.1 : f64 "
                        "%r = arith.subf %x, %w : f64 attn.yield %r : f64";
  EXPECT_EQ(scoreOf(residue, Precision::Plain, "f64"), 0.0);
  EXPECT_EQ(scoreOf(residue, Precision::Double, "f64"), (double)(1.0L / 10.0L - 0.1));
}

TEST(Precision, SixteenBitWeights) {
  // Two keys of scores 0 and -1: in Plain the weight exp(-1) meets v as bf16 but enters the sum of weights as f32.
  Tensor q(Format::BF16, {1, 1, 1, 1}, {1}), k(Format::BF16, {1, 1, 2, 1}, {0, -1}),
      v(Format::BF16, {1, 1, 2, 1}, {0, 1});
  Program program(simpleKernel(1, "scale = 1.0", "", "bf16"));
  RowResult row = Call{{q, k, v}}.create(program)->row({0, 0}, 0, Precision::Plain);
  float weight = std::exp(-1.0f);
  EXPECT_EQ(row.outputs["o"][0], (float)roundTo<double>(Format::BF16, weight) / (1.0f + weight));
}

TEST(Precision, SetsAreFactsOfTheText) {
  // Membership follows the nominal types in both precisions: f32's 1/3 is above f64's.
  Program program(simpleKernel(
      1,
      "set = where(j = %j) { %a = arith.constant 1.0 : f32 %b = arith.constant 3.0 : f32 %c = arith.divf %a, %b : f32 "
      "%d = arith.extf %c : f32 to f64 %t = arith.constant 0.3333333333333333 : f64 %p = arith.cmpf ogt, %d, %t : f64 "
      "attn.yield %p : i1 }"));
  Tensor x(Format::F32, {1, 1, 1, 1}, {1});
  auto interpreter = Call{{x, x, x}}.create(program);
  EXPECT_EQ(interpreter->row({0, 0}, 0, Precision::Double).visible, 1);
}

} // namespace
