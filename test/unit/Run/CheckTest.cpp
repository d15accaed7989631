// Outputs of every kind against the interpreter: written as it computes them, then with one element changed.
#include "Harness.h"

#include <set>

using namespace attn;
using namespace attn::test;

namespace {

const char *const kProgram = R"(
!q = tensor<?x?x?x4xf32>
!v = tensor<?x?x?x3xf32>
!r = tensor<?x?x?xf32>
attn.normalizer @two(%b, %x) {
  attn.pass ref = max
    gauge(%r0, %r1) { %d = arith.subf %r0, %r1 : f32 %g = math.exp %d : f32 attn.yield %g : f32 }
    phi(%s, %r) { %d = arith.subf %s, %r : f32 %p = math.exp %d : f32 attn.yield %p : f32 }
    sums(l = one, m = one in 1, n = value)
  attn.finish(%r, %l, %m, %n) {
    %o = arith.divf %n, %l : f32 %y = arith.mulf %o, %b : f32 %w = arith.divf %m, %l : f32
    %g = arith.addf %w, %x : f32 attn.yield %y, %g : f32, f32
  } outputs(o, m) empty(0.0, 0.0)
}
attn.kernel @k(%q: !q, %k: !q, %v: !v, %b: tensor<?x?xf32>, %x: f32, %c: tensor<?xi32>, %g: tensor<?x3xf32>, %u: !v)
    -> (y: !v, m: !r, top: !r, id: tensor<?x?x?xi32>, p: tensor<?x?x?x?xf32>, mass: !r, out: tensor<?x?x?x3xbf16>) {
  %r:7 = attn.attend dims(b, h | i | j | c, e) q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = causal<top_left> minus sinks<1>
    normalize = @two(%b[h, i], %x)
    class(j = %j) { %w = attn.load %c[%j] : tensor<?xi32> attn.yield %w : i32 }
    reduce top = max
    reduce id = argmax
    columns mass = sum(%w, %s) { attn.yield %w : f32 }
    aggregate out = %u[b, h, i, e]
    epilogue(o = %o, h = %h, e = %e) -> (y) {
      %w = attn.load %g[%h, %e] : tensor<?x3xf32> %z = arith.addf %o, %w : f32 attn.yield %z : f32
    }
    outputs y[b, h, i, e], m[b, h, i], top[b, h, i], id[b, h, i], p[b, h, i, j], mass[b, h, j], out[b, h, j, e]
    : (!q, !q, !v) -> (!v, !r, !r, tensor<?x?x?xi32>, tensor<?x?x?x?xf32>, !r, tensor<?x?x?x3xbf16>)
  attn.return %r#0, %r#1, %r#2, %r#3, %r#4, %r#5, %r#6
    : !v, !r, !r, tensor<?x?x?xi32>, tensor<?x?x?x?xf32>, !r, tensor<?x?x?x3xbf16>
}
)";

const std::vector<std::string> kNames = {"y", "m", "top", "id", "p", "mass", "out"};

Given given() {
  Given g{""};
  g.program = kProgram;
  g.sizes = {{"b", 2}, {"h", 3}, {"i", 5}, {"j", 7}};
  return g;
}

void store(Made &made, const std::string &name, int64_t from, const std::vector<double> &values) {
  const run::Tensor &t = made.tensor(name);
  for (size_t n = 0; n < values.size(); ++n)
    storeNumber(t.data.data(), t.element, from + int64_t(n), values[n]);
}

/// What the interpreter computes, in memory order.
void writeAll(Made &made) {
  auto oracle = made.interpreter();
  for (int64_t b = 0; b < 2; ++b)
    for (int64_t h = 0; h < 3; ++h) {
      const int64_t at = b * 3 + h;
      for (int64_t i = 0; i < 5; ++i)
        for (auto &[name, values] : oracle->row({b, h}, i, interpreter::Precision::Double).outputs)
          store(made, name, (at * 5 + i) * int64_t(values.size()), values);
      for (auto &[name, values] : oracle->columns({b, h}, interpreter::Precision::Double).outputs)
        store(made, name, at * int64_t(values.size()), values);
    }
}

std::set<std::string> failures(const run::CheckResult &check) {
  std::set<std::string> names;
  for (const run::Comparison &c : check.outputs)
    if (!c.report.ok)
      names.insert(c.name);
  return names;
}

TEST(Check, EveryOutput) {
  Made made(given());
  auto oracle = made.interpreter();
  auto check = [&] { return run::checkResults(made.program, made.problem, *oracle, 1); };
  EXPECT_EQ(failures(check()), std::set<std::string>(kNames.begin(), kNames.end())); // nothing is written yet
  writeAll(made);
  run::CheckResult good = check();
  EXPECT_EQ(failures(good), std::set<std::string>());
  EXPECT_EQ(good.rows, 30);
  EXPECT_EQ(good.of, 30);
  EXPECT_EQ(good.batches, 6);
  EXPECT_EQ(good.ofBatches, 6);
  ASSERT_EQ(good.outputs.size(), kNames.size());
  const std::vector<std::pair<std::string, std::string>> changes = {
      {"y", "y[1, 1, 2, 1]"}, {"m", "m[1, 1, 2]"},       {"top", "top[1, 1, 2]"},   {"id", "id[1, 1, 2]"},
      {"p", "p[1, 1, 2, 1]"}, {"mass", "mass[1, 1, 2]"}, {"out", "out[1, 1, 2, 1]"}};
  for (const auto &[name, place] : changes) {
    SCOPED_TRACE(name);
    const run::Tensor &t = made.tensor(name);
    int64_t at = 0;
    for (size_t axis = 0; axis < t.shape.size(); ++axis)
      at += (axis == 2 ? 2 : 1) * t.strides[axis];
    const double before = loadNumber(t.data.data(), t.element, at);
    storeNumber(t.data.data(), t.element, at, before + 1);
    run::CheckResult bad = check();
    EXPECT_EQ(failures(bad), std::set<std::string>({name}));
    for (const run::Comparison &c : bad.outputs)
      if (c.name == name) {
        EXPECT_EQ(c.worst.substr(0, c.worst.find(' ', c.worst.find(']'))), place);
      }
    storeNumber(t.data.data(), t.element, at, before);
  }
}

TEST(Check, MadeUpInputs) {
  Made made(given());
  EXPECT_EQ(made.tensor("b").shape, std::vector<int64_t>({3, 5}));
  EXPECT_EQ(made.tensor("g").shape, std::vector<int64_t>({3, 3}));
  EXPECT_EQ(made.tensor("u").shape, std::vector<int64_t>({2, 3, 5, 3}));
  EXPECT_EQ(made.tensor("p").shape, std::vector<int64_t>({2, 3, 5, 7}));
  EXPECT_EQ(made.tensor("mass").shape, std::vector<int64_t>({2, 3, 7}));
  EXPECT_EQ(made.tensor("out").shape, std::vector<int64_t>({2, 3, 7, 3}));
  Given many = given();
  many.sizes = {{"j", 64}};
  std::set<int64_t> classes;
  for (int64_t c : Made(many).integers("c"))
    classes.insert(c);
  EXPECT_EQ(classes, std::set<int64_t>({0, 1, 2}));
  // A scalar parameter is drawn, or given.
  auto scalar = [](const Made &m) { return m.problem.scalars.at(0).value.f; };
  EXPECT_NE(scalar(made), 0);
  EXPECT_LT(std::abs(scalar(made)), 5);
  Given other = given();
  other.seed = 2;
  EXPECT_NE(scalar(Made(other)), scalar(made));
  other.params = {{"x", "0.25"}};
  EXPECT_EQ(scalar(Made(other)), 0.25);
}

} // namespace
