// Operands that leave out batch dimensions: queries of all batches, lists of them, and several scores over one set of
// values. Every program in every variant, with blocks of the schedule and tiny ones, split and not.
#include "Harness.h"

#include <fmt/format.h>

using namespace attn;
using namespace attn::test;

namespace {

constexpr Blocks kSplit{6, 16, 3};

Tensor f32(Index shape, uint64_t seed) { return Tensor::normal(Element::F32, std::move(shape), seed); }

Tensor indices(Index shape, int64_t below, uint64_t seed) {
  Tensor t(Element::I32, shape);
  uint64_t n = seed;
  t.fill([&](auto) {
    n = n * 6364136223846793005u + 1442695040888963407u;
    return double((n >> 33) % uint64_t(below));
  });
  return t;
}

/// Results by the error rule and the same by two threads, in all variants; which of them ran.
std::vector<std::string> expectRight(const std::string &text, const std::vector<Tensor> &inputs, bool splits = true) {
  std::vector<std::string> ran;
  for (Blocks blocks : {Blocks{}, kTiny, kSplit}) {
    if (blocks.split && !splits)
      continue;
    Program &p = program(text, blocks);
    const attn_kernel_info &info = p.kernel().info();
    for (int32_t variant = 0; variant < info.n_variants; ++variant) {
      Call call{inputs};
      call.variant = variant;
      if (call.run(p) == ATTN_E_VARIANT)
        continue;
      const std::string name = fmt::format("{} blocks {}x{}", info.variants[variant].name, blocks.rows, blocks.keys);
      ran.push_back(name);
      EXPECT_EQ(call.status, ATTN_OK) << text << name;
      EXPECT_EQ(compare(p, call), "") << text << name;
      Call two = call;
      two.workers = 2;
      two.run(p);
      EXPECT_TRUE(sameBits(call, two)) << text << name;
    }
  }
  return ran;
}

struct Maps {
  std::string q, k, v, qType, kType, vType;
  Index qShape, kShape, vShape; // -1: I, -2: J
};

Index sized(Index shape, int64_t I, int64_t J) {
  for (int64_t &n : shape)
    n = n == -1 ? I : n == -2 ? J : n;
  return shape;
}

std::string textOf(const Maps &m, const std::string &clauses) {
  return fmt::format(R"(!o = tensor<?x?x?x8xf32>
!r = tensor<?x?x?xf32>
attn.kernel @k(%q: {3}, %k: {4}, %v: {5}) -> (o: !o, lse: !r, top: !r, mass: !r) {{
  %o, %lse, %top, %mass = attn.attend dims(b, h | i | j | c, e)
    q = %q[{0}] k = %k[{1}] v = %v[{2}]
    {6}
    reduce top = max
    columns mass = sum(%w, %s, h = %h) {{ attn.yield %w : f32 }}
    outputs o[b, h, i, e], lse[b, h, i], top[b, h, i], mass[b, h, j]
    : ({3}, {4}, {5}) -> (!o, !r, !r, !r)
  attn.return %o, %lse, %top, %mass : !o, !r, !r, !r
}}
)",
                     m.q, m.k, m.v, m.qType, m.kType, m.vType, clauses);
}

TEST(Operands, QueriesWithoutBatchDimensions) {
  const char *two = "tensor<?x8xf32>", *three = "tensor<?x?x8xf32>", *four = "tensor<?x?x?x8xf32>";
  const Maps maps[] = {
      {"i, c", "b, h, j, c", "b, h, j, e", two, four, four, {-1, 8}, {2, 4, -2, 8}, {2, 4, -2, 8}},
      {"h, i, c", "b, j, c", "b, j, e", three, three, three, {4, -1, 8}, {2, -2, 8}, {2, -2, 8}},
      {"b, i, c", "j, c", "b, h, j, e", three, two, four, {2, -1, 8}, {-2, 8}, {2, 4, -2, 8}},
      {"b, h floordiv 2, i, c", "b, h, j, c", "j, e", four, four, two, {2, 2, -1, 8}, {2, 4, -2, 8}, {-2, 8}},
      {"i, c, 1", "b, j, c", "h, j, e", "tensor<?x8x2xf32>", three, three, {-1, 8, 2}, {2, -2, 8}, {4, -2, 8}},
  };
  for (const Maps &m : maps)
    for (const char *clauses : {"", "set = causal<bottom_right>", "set = window<bottom_right, left = 9> or prefix<3>"})
      for (auto [I, J] : {std::pair<int64_t, int64_t>{19, 53}, {1, 300}, {0, 5}, {70, 3}})
        expectRight(textOf(m, clauses),
                    {f32(sized(m.qShape, I, J), 1), f32(sized(m.kShape, I, J), 2), f32(sized(m.vShape, I, J), 3)},
                    false);
}

/// Few queries of many heads over long keys: by chunks, with rows of several heads together.
TEST(Operands, QueriesOfAllBatchesOverSplitKeys) {
  const std::string text = R"(!o = tensor<?x?x?x8xf32>
attn.kernel @k(%q: tensor<?x?x8xf32>, %k: tensor<?x?x8xf32>, %v: tensor<?x?x8xf32>) -> (o: !o, lse: tensor<?x?x?xf32>) {
  %o, %lse = attn.attend dims(b, h | i | j | c, e)
    q = %q[h, i, c] k = %k[b, j, c] v = %v[b, j, e]
    set = causal<bottom_right>
    outputs o[b, h, i, e], lse[b, h, i]
    : (tensor<?x?x8xf32>, tensor<?x?x8xf32>, tensor<?x?x8xf32>) -> (!o, tensor<?x?x?xf32>)
  attn.return %o, %lse : !o, tensor<?x?x?xf32>
}
)";
  for (auto [H, I, J] : {std::array<int64_t, 3>{5, 1, 5000}, {3, 4, 700}, {2, 30, 90}})
    expectRight(text, {f32({H, I, 8}, 1), f32({3, J, 8}, 2), f32({3, J, 8}, 3)});
}

/// Regions by lists that have no batch dimension, which loads alone count.
TEST(Operands, QueriesByListsOfAllBatches) {
  const std::string element =
      "{ %m = arith.index_cast %n : i32 to index  %y = attn.load %T[%b, %m, %t, %c] : !t  attn.yield %y : f32 }";
  auto region = [&](const std::string &tensor, const std::string &token, const std::string &feature) {
    std::string body = element;
    body.replace(body.find("%T"), 2, tensor);
    return " as (%n : i32, b = %b, " + token + " = %t, " + feature + " = %c) " + body;
  };
  const std::string heads = "!t = tensor<?x?x?x8xf32>\n!n = tensor<?xi32>\n"
                            "attn.kernel @k(%q: !t, %k: !t, %v: !t, %heads: !n) -> (o: !t, lse: tensor<?x?x?xf32>) {\n"
                            "  %o, %lse = attn.attend dims(b, s | i | j | c = 8, e = 8)\n    q = %heads[s]" +
                            region("%q", "i", "c") + "\n    k = %heads[s]" + region("%k", "j", "c") +
                            "\n    v = %heads[s]" + region("%v", "j", "e") +
                            "\n    outputs o[b, s, i, e], lse[b, s, i] : (!n, !n, !n) -> (!t, tensor<?x?x?xf32>)\n"
                            "  attn.return %o, %lse : !t, tensor<?x?x?xf32>\n}\n";
  for (auto [I, J] : {std::pair<int64_t, int64_t>{19, 53}, {1, 300}})
    expectRight(heads, {f32({2, 7, I, 8}, 1), f32({2, 7, J, 8}, 2), f32({2, 7, J, 8}, 3), indices({4}, 7, 5)}, false);

  // One list of tokens a batch row, of all heads.
  const std::string at = " as (%n : i32, b = %b, h = %h, c = %c) { %m = arith.index_cast %n : i32 to index  %y = "
                         "attn.load %q[%b, %h, %m, %c] : !t  attn.yield %y : f32 }";
  const std::string tokens = "!t = tensor<?x?x?x8xf32>\n!n = tensor<?x?xi32>\n"
                             "attn.kernel @k(%q: !t, %k: !t, %v: !t, %ids: !n) -> (o: !t, lse: tensor<?x?x?xf32>) {\n"
                             "  %o, %lse = attn.attend dims(b, h | i | j | c = 8, e = 8)\n    q = %ids[b, i]" +
                             at +
                             "\n    k = %k[b, h, j, c] v = %v[b, h, j, e]\n    set = causal<top_left>"
                             "\n    outputs o[b, h, i, e], lse[b, h, i] : (!n, !t, !t) -> (!t, tensor<?x?x?xf32>)\n"
                             "  attn.return %o, %lse : !t, tensor<?x?x?xf32>\n}\n";
  Tensor ids = indices({2, 19}, 31, 5);
  ids.setBits({1, 3}, uint32_t(-1)); // no query
  expectRight(tokens, {f32({2, 3, 31, 8}, 1), f32({2, 3, 53, 8}, 2), f32({2, 3, 53, 8}, 3), ids});
}

/// Several scores over one set of values: t, which v leaves out. Keys of all of them share a panel, and rows of few
/// queries a block.
struct Scores {
  const char *name, *q, *k, *v, *keys, *values, *clauses, *element; // keys, values: types without the element
};

std::string scoresText(const Scores &s, const std::string &outputs = "o[b, h, t, i, e], lse[b, h, t, i]",
                       const std::string &results = "o: !o, lse: !r", const std::string &types = "!o, !r",
                       const std::string &names = "%o, %lse") {
  const std::string e = s.element, real = e == "f64" ? "f64" : "f32";
  return fmt::format(R"(!q = tensor<?x?x2x?x12x{0}>
!k = tensor<{1}x{0}>
!v = tensor<{2}x{0}>
!o = tensor<?x?x2x?x20x{0}>
!r = tensor<?x?x2x?x{3}>
attn.kernel @k(%q: !q, %k: !k, %v: !v, %bias: tensor<?x?xf32>) -> ({9}) {{
  {11} = attn.attend dims(b, h, t | i | j | c, e)
    q = %q[{4}] k = %k[{5}] v = %v[{6}]
    {7}
    outputs {8}
    : (!q, !k, !v) -> ({10})
  attn.return {11} : {10}
}}
)",
                     e, s.keys, s.values, real, s.q, s.k, s.v, s.clauses, outputs, results, types, names);
}

const Scores kScores[] = {
    {"plain", "b, h, t, i, c", "b, h, t, j, c", "b, h, j, e", "?x?x2x?x12", "?x?x?x20", "set = causal<bottom_right>",
     "f32"},
    {"groups", "b, h, t, i, c", "b, h floordiv 2, t, j, c", "b, h floordiv 2, j, e", "?x?x2x?x12", "?x?x?x20", "",
     "f32"},
    {"multi-query", "b, h, t, i, c", "b, j, t, c", "b, j, e", "?x?x2x12", "?x?x20",
     "set = window<bottom_right, left = 40> or sinks<3>", "bf16"},
    {"biased", "b, h, t, i, c", "b, h, t, j, c", "b, h, j, e", "?x?x2x?x12", "?x?x?x20",
     "score(%s, h = %h, t = %t) { %x = attn.load %bias[%t, %h] : tensor<?x?xf32> %y = arith.addf %s, %x : f32 "
     "attn.yield %y : f32 }",
     "f16"},
    {"sink", "b, h, t, i, c", "b, h, t, j, c", "b, j, e", "?x?x2x?x12", "?x?x20",
     "set = causal<top_left> normalize = @softmax_sink(%bias[t, h])", "f32"},
    {"f64", "b, h, t, i, c", "b, h, t, j, c", "h, j, e", "?x?x2x?x12", "?x?x20", "", "f64"},
};

std::vector<Tensor> scoresInputs(const Scores &s, int64_t B, int64_t H, int64_t I, int64_t J) {
  const Element e = elementOf(s.element);
  auto shapeOf = [&](const std::string &map, int64_t width) {
    Index shape;
    for (size_t at = 0; at <= map.size();) {
      size_t end = std::min(map.find(", ", at), map.size());
      const std::string index = map.substr(at, end - at);
      shape.push_back(index == "b"       ? B
                      : index == "h"     ? H
                      : index == "t"     ? 2
                      : index == "i"     ? I
                      : index == "j"     ? J
                      : index.size() > 1 ? H / 2
                                         : width);
      at = end + 2;
    }
    return shape;
  };
  return {Tensor::normal(e, shapeOf(s.q, 12), 1), Tensor::normal(e, shapeOf(s.k, 12), 2),
          Tensor::normal(e, shapeOf(s.v, 20), 3), f32({2, H}, 4)};
}

TEST(Operands, SeveralScoresOfOneSetOfValues) {
  for (const Scores &s : kScores)
    for (auto [I, J] : {std::pair<int64_t, int64_t>{19, 53}, {1, 300}, {3, 700}, {8, 5000}, {0, 7}, {7, 0}, {70, 3}}) {
      SCOPED_TRACE(fmt::format("{} {} {}", s.name, I, J));
      // f64 cannot take a sink of f32 and such; each program is of one type.
      expectRight(scoresText(s), scoresInputs(s, 2, 4, I, J));
    }
}

/// What is no number in one score's keys is none of the other's business.
TEST(Operands, ScoresAreApart) {
  const Scores &s = kScores[0];
  for (Blocks blocks : {Blocks{}, kTiny, kSplit})
    for (int64_t I : {2, 40}) {
      Program &p = program(scoresText(s), blocks);
      Call clean{scoresInputs(s, 1, 2, I, 90)}, dirty{scoresInputs(s, 1, 2, I, 90)};
      dirty.inputs[1].set({0, 0, 1, 5, 3}, kNaN);
      EXPECT_EQ(clean.run(p), ATTN_OK);
      EXPECT_EQ(dirty.run(p), ATTN_OK);
      EXPECT_EQ(compare(p, dirty), "");
      for (int64_t i = 0; i < I; ++i)
        for (int64_t e = 0; e < 20; ++e) {
          EXPECT_EQ(clean.outputs[0].bits({0, 0, 0, i, e}), dirty.outputs[0].bits({0, 0, 0, i, e}));
          EXPECT_TRUE(std::isnan(dirty.outputs[0].get({0, 0, 1, i, e})) || i + 50 < 5);
        }
    }
}

TEST(Operands, SeveralScoresWithOtherOutputs) {
  Scores s = kScores[0];
  const std::string p = scoresText(s, "o[b, h, t, i, e], p[b, h, t, i, j]", "o: !o, p: tensor<?x?x2x?x?xf32>",
                                   "!o, tensor<?x?x2x?x?xf32>", "%o, %p");
  expectRight(p, scoresInputs(s, 1, 2, 9, 40), false);
  s.clauses =
      "set = causal<bottom_right> reduce top = argmax reduce mean = weighted(%s, t = %t, j = %j) { %n = arith.addi %j, "
      "%t : index %m = arith.index_cast %n : index to i32 "
      "%f = arith.sitofp %m : i32 to f32 attn.yield %f : f32 } columns mass = sum(%w, %s) { attn.yield %w : f32 }";
  const std::string more = scoresText(s, "o[b, h, t, i, e], top[b, h, t, i], mean[b, h, t, i], mass[b, h, t, j]",
                                      "o: !o, top: tensor<?x?x2x?xi32>, mean: !r, mass: !r",
                                      "!o, tensor<?x?x2x?xi32>, !r, !r", "%o, %top, %mean, %mass");
  for (int64_t I : {1, 19})
    expectRight(more, scoresInputs(s, 2, 2, I, 300), false);
}

} // namespace
