// lse of normalizers that have none: log sum e^s over the present pairs, whatever the weights are. Logarithms in f64.
#include "Harness.h"

#include <fmt/format.h>

using namespace attn;
using namespace attn::test;

namespace {

std::string textOf(const std::string &normalize, const std::string &element, const std::string &clauses = "",
                   const std::string &extra = "", const std::string &types = "", const std::string &names = "") {
  const std::string real = element == "f64" ? "f64" : "f32";
  std::string results = fmt::format("(o: !t, lse: tensor<?x?x?x{}>", real),
              list = fmt::format("!t, tensor<?x?x?x{}>", real);
  if (!extra.empty()) {
    results += ", extra: " + types;
    list += ", " + types;
  }
  return fmt::format(R"(!t = tensor<?x?x?x8x{}>
attn.kernel @k(%q: !t, %k: !t, %v: !t) -> {}) {{
  %o, %lse{} = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    {}
    normalize = @{}
    outputs o[b, h, i, e], lse[b, h, i]{}
    : (!t, !t, !t) -> ({})
  attn.return %o, %lse{} : {}
}}
)",
                     element, results, names, clauses, normalize, extra, list, names, list);
}

TEST(LogSumExp, OfNormalizersWithoutOne) {
  Attention a;
  const std::pair<const char *, const char *> cases[] = {
      {"sigmoid(-1.0)", "f32"}, {"relu_n", "f64"}, {"identity", "bf16"},           {"softpick", "f32"},
      {"entmax15", "f32"},      {"argmax", "f32"}, {"relu2_sum(0.5, 1.0)", "f64"}, {"argmax", "f64"}};
  for (auto [normalize, element] : cases)
    for (const char *set : {"", "set = causal<bottom_right>", "set = empty"}) {
      a.element = element;
      Call call{normalInputs(a, 1, 2, 19, 45, 7)};
      EXPECT_EQ(check(program(textOf(normalize, element, set)), call), "") << element << " " << normalize << set;
    }
  Call call{normalInputs(Attention{}, 1, 2, 119, 545, 7)};
  EXPECT_EQ(check(program(textOf("sigmoid(-1.0)", "f32"), Blocks{}), call), "");
}

TEST(LogSumExp, NotFiniteScoresAndKeysOfMinusInfinity) {
  Attention a;
  for (const char *normalize : {"sigmoid(0.0)", "argmax"}) {
    Call call{normalInputs(a, 1, 1, 9, 40, 7)};
    call.inputs[1].set({0, 0, 3, 0}, kNaN);
    EXPECT_EQ(check(program(textOf(normalize, "f32", "set = causal<top_left>")), call), "") << normalize;
    const std::string hides =
        "score(%s, j = %j) { %c = arith.constant 20 : index %m = arith.constant 0xFF800000 : f32 "
        "%p = arith.cmpi slt, %j, %c : index %t = arith.select %p, %m, %s : f32 attn.yield %t : f32 }";
    EXPECT_EQ(check(program(textOf(normalize, "f32", "set = causal<bottom_right> " + hides)), call), "") << normalize;
  }
}

TEST(LogSumExp, InTheEpilogueAndBesideColumns) {
  Attention a;
  const std::string clauses = "reduce top = max epilogue(o = %x, lse = %l, top = %m) -> (o, gap) { %g = arith.subf %l, "
                              "%m : f32 attn.yield %x, %g : "
                              "f32, f32 }";
  Call call{normalInputs(a, 1, 2, 19, 45, 7)};
  EXPECT_EQ(
      check(program(textOf("sigmoid(-1.0)", "f32", clauses, ", gap[b, h, i]", "tensor<?x?x?xf32>", ", %gap")), call),
      "");
}

/// A seed of weights e^(s - r) is one more score, r + log l, also in rows without any pair.
TEST(LogSumExp, OfASeededNormalizerCountsItsSeed) {
  for (const char *number : {"1.0", "0.25", "0.0"}) {
    const std::string normalizer =
        std::string(R"(
attn.normalizer @seeded(%b) {
  attn.pass ref = max
    gauge(%r0, %r1) { %d = arith.subf %r0, %r1 : f32 %g = math.exp %d : f32 attn.yield %g : f32 }
    phi(%s, %r) { %d = arith.subf %s, %r : f32 %p = math.exp %d : f32 attn.yield %p : f32 }
    seed { %one = arith.constant )") +
        number + R"( : f32 %zero = arith.constant 0.0 : f32 attn.yield %b, %one, %zero : f32, f32, f32 }
    sums(l = one, n = value)
  attn.finish(%r, %l, %n) { %o = arith.divf %n, %l : f32 attn.yield %o : f32 } outputs(o) empty(0.0)
}
)";
    Attention a;
    for (const char *element : {"f32", "f64"})
      for (const char *set : {"", "set = causal<top_left>", "set = empty"}) {
        a.element = element;
        Call call{normalInputs(a, 1, 2, 19, 45, 7)};
        EXPECT_EQ(check(program(normalizer + textOf("seeded(0.5)", element, set)), call), "") << number << set;
        if (std::string(set) != "set = empty")
          continue;
        const double lse = call.outputs[1].get({0, 0, 0}), want = 0.5 + std::log(std::stod(number));
        EXPECT_TRUE(lse == want || std::fabs(lse - want) < 1e-6) << lse << " " << want;
      }
  }
}

/// Scores of every size through the function, whose argument is made positive where it has to be.
std::string withFunction(const std::string &function, const std::string &before) {
  return textOf(
      "identity", "f64",
      fmt::format("score(%s : f64, j = %j) {{ %one = arith.constant 1.0 : f64 %u = math.absf %s : f64 {} %t = math.{} "
                  "%a : f64 attn.yield %t : f64 }}",
                  before, function));
}

TEST(LogarithmsInF64, InScores) {
  Attention a;
  a.element = "f64";
  for (const char *function : {"log", "log2", "log10", "log1p"})
    for (const char *before :
         {"%a = arith.addf %u, %one : f64",
          "%e = math.exp %s : f64 %f = math.exp %e : f64 %a = arith.mulf %f, %u : f64",
          "%c = arith.constant 1.0e-9 : f64 %a = arith.mulf %u, %c : f64",
          "%c = arith.constant 1.0e-300 : f64 %d = arith.mulf %c, %c : f64 %x = arith.addf %d, %c : f64 %y = "
          "arith.constant "
          "1.0e-12 : f64 %z = arith.mulf %x, %y : f64 %a = arith.mulf %z, %u : f64"}) { // the last: subnormal numbers
      Call call{normalInputs(a, 1, 2, 19, 45, 7)};
      EXPECT_EQ(check(program(withFunction(function, before)), call), "") << function << " " << before;
    }
}

TEST(LogarithmsInF64, EdgesInReductions) {
  // 0, subnormal, negative, infinite, NaN, exact powers of two
  const std::vector<double> numbers = {0.0,   -0.0, 4.9e-324, 2.2e-308, 1.0,  2.0,   0.5, 1024.0,
                                       1e300, kInf, -1.0,     -0.5,     kNaN, -kInf, 8.0};
  for (const char *function : {"log", "log2", "log10", "log1p"})
    for (const char *kind : {"max", "min"})
      for (size_t n = 0; n < numbers.size(); ++n) {
        const std::string text = fmt::format(R"(!t = tensor<?x?x?x8xf64>
attn.kernel @k(%q: !t, %k: !t, %x: tensor<?xf64>) -> (m: tensor<?x?x?xf64>) {{
  %m = attn.attend dims(b, h | i | j | c)
    q = %q[b, h, i, c] k = %k[b, h, j, c]
    reduce m = {}(%s : f64, j = %j) {{ %y = attn.load %x[%j] : tensor<?xf64> %t = math.{} %y : f64 attn.yield %t : f64 }}
    outputs m[b, h, i]
    : (!t, !t) -> tensor<?x?x?xf64>
  attn.return %m : tensor<?x?x?xf64>
}}
)",
                                             kind, function);
        Attention a;
        a.element = "f64";
        Call call{normalInputs(a, 1, 1, 2, 3, 7)};
        call.inputs.pop_back();
        call.inputs.push_back(Tensor::of(Element::F64, {3}, std::vector<double>(3, numbers[n])));
        EXPECT_EQ(check(program(text), call), "") << function << " of " << numbers[n];
      }
}

} // namespace
