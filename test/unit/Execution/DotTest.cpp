// The dot region: s = scale * sum_c dot(q_ic, k_jc) against the interpreter, on every path that scores take.
#include "Harness.h"

#include <fmt/format.h>

using namespace attn;
using namespace attn::test;

namespace {

struct Kind {
  const char *name, *body; // R: the type that is computed in
  double scale;
};

// Additive attention (Bahdanau et al., 2015; pointer networks), GATv2, and distances.
const Kind kKinds[] = {
    {"additive",
     "%s = arith.addf %x, %y : R %t = math.tanh %s : R %w = attn.load %ws[%h, %c] : tensor<?x?xR> "
     "%z = arith.mulf %t, %w : R attn.yield %z : R",
     1},
    {"leaky",
     "%s = arith.addf %x, %y : R %a = arith.constant 0.2 : R %t = arith.mulf %s, %a : R %m = arith.maximumf %s, %t : R "
     "%w = attn.load %ws[%h, %c] : tensor<?x?xR> %z = arith.mulf %w, %m : R attn.yield %z : R",
     1},
    {"squared", "%d = arith.subf %x, %y : R %m = arith.mulf %d, %d : R %n = arith.negf %m : R attn.yield %n : R", 0.1},
    {"l1", "%d = arith.subf %x, %y : R %m = math.absf %d : R attn.yield %m : R", -0.1},
    {"bound", "%m = arith.maximumf %x, %y : R attn.yield %m : R", 0.5},
    {"of one side", "%e = math.exp %y : R %f = arith.addf %e, %x : R attn.yield %f : R", 0.2},
    {"by feature",
     "%i = arith.index_cast %c : index to i32 %f = arith.sitofp %i : i32 to R %u = arith.mulf %f, %x : R "
     "%z = arith.mulf %u, %y : R attn.yield %z : R",
     0.05},
};

Attention attention(const Kind &kind, const std::string &element = "f32", int64_t d = 8) {
  Attention a;
  a.element = element;
  a.d = d;
  const std::string real = element == "f64" ? "f64" : "f32";
  std::string body = kind.body;
  for (size_t at = 0; (at = body.find('R', at)) != std::string::npos;)
    body.replace(at, 1, real);
  const std::string type = real == "f64" ? " : f64" : "";
  a.score = "dot(%x" + type + ", %y" + type + ", h = %h, c = %c) { " + body + " }";
  a.scale = fmt::format("{:.2f}", kind.scale);
  a.args = ", %ws: tensor<?x?x" + real + ">";
  return a;
}

std::vector<Tensor> inputsOf(const Attention &a, int64_t B, int64_t H, int64_t I, int64_t J, int64_t keyHeads = 0) {
  std::vector<Tensor> inputs = normalInputs(a, B, H, I, J, 21, 1, keyHeads);
  inputs.push_back(Tensor::normal(a.element == "f64" ? Element::F64 : Element::F32, {H, a.d}, 5, 0.5));
  return inputs;
}

class Dot : public ::testing::TestWithParam<int> {
protected:
  const Kind &kind() const { return kKinds[GetParam()]; }
};
INSTANTIATE_TEST_SUITE_P(Each, Dot, ::testing::Range(0, int(std::size(kKinds))), [](const auto &info) {
  std::string name = kKinds[info.param].name;
  std::replace(name.begin(), name.end(), ' ', '_');
  return name;
});

TEST_P(Dot, Scores) {
  for (const char *element : {"f32", "f64", "bf16"})
    for (int64_t d : {8, 5, 33})
      for (Blocks blocks : {kTiny, Blocks{}}) {
        const Attention a = attention(kind(), element, d);
        Call call{inputsOf(a, 2, 2, 23, 40)};
        EXPECT_EQ(check(program(a, blocks), call), "") << element << " d " << d;
      }
}

TEST_P(Dot, SetsSplitsAndGroups) {
  for (const char *set : {"causal<bottom_right>", "window<bottom_right, left = 5, right = 3>", "prefix<11>"})
    for (Blocks blocks : {kTiny, Blocks{6, 16, 3}}) {
      Attention a = attention(kind());
      a.set = set;
      a.heads = "h floordiv 2";
      Call call{inputsOf(a, 1, 4, 29, 70, 2)};
      EXPECT_EQ(check(program(a, blocks), call), "") << set << " split " << blocks.split;
    }
}

/// Rows in place: the features are lanes, those past the last are no terms.
TEST_P(Dot, ListsOfRows) {
  for (const char *element : {"f32", "f64", "f16"})
    for (int64_t d : {8, 5, 40, 150}) {
      Attention a = attention(kind(), element, d);
      a.set = "tokens<%list[b, h, i]>";
      a.args += ", %list: tensor<?x?x?x?xi32>";
      Program &p = program(a, Blocks{});
      for (const bool gaps : {false, true}) {
        Call call{inputsOf(a, 1, 2, 19, 200)};
        call.inputs.push_back(Tensor::integers(Element::I32, {1, 2, 19, 23}, 3, -1, 199));
        if (gaps) {
          MemoryLayout layout;
          layout.order = {0, 1, 3, 2};
          Tensor k(call.inputs[1].element, call.inputs[1].shape, layout);
          k.fill([&](auto at) { return call.inputs[1].get(at); });
          call.inputs[1] = std::move(k);
        }
        for (int32_t variant : {0, 1}) {
          call.variant = variant;
          call.outputs.clear();
          EXPECT_EQ(check(p, call), "") << element << " d " << d << " variant " << variant << " gaps " << gaps;
        }
      }
    }
}

/// What a query does not see, and what stands past the ends, may be anything.
TEST_P(Dot, Poison) {
  Attention a = attention(kind(), "f32", 5);
  a.set = "window<bottom_right, left = 4>";
  for (Blocks blocks : {kTiny, Blocks{}}) {
    Program &p = program(a, blocks);
    Call clean{inputsOf(a, 1, 2, 20, 37)};
    EXPECT_EQ(check(p, clean), "");
    for (Poison poison : kPoisons) {
      Call dirty{inputsOf(a, 1, 2, 20, 37)};
      for (int64_t h = 0; h < 2; ++h)
        for (int64_t j = 0; j < 13; ++j) // the first query's window begins at 13
          for (int64_t e = 0; e < 5; ++e)
            dirty.inputs[1].setBits({0, h, j, e}, poisonBits(Element::F32, poison));
      dirty.run(p);
      EXPECT_TRUE(sameBits(clean, dirty)) << "poison " << int(poison);
    }
  }
}

/// A NaN in a key is seen by the rows that see the key.
TEST(DotNaN, OfItsRowsAlone) {
  Attention a = attention(kKinds[2]);
  a.set = "causal<top_left>";
  Program &p = program(a);
  Call call{inputsOf(a, 1, 1, 30, 30)};
  call.inputs[1].set({0, 0, 20, 3}, kNaN);
  EXPECT_EQ(call.run(p), ATTN_OK);
  for (int64_t i = 0; i < 30; ++i)
    EXPECT_EQ(std::isnan(call.outputs[0].get({0, 0, i, 1})), i >= 20) << i;
}

TEST_P(Dot, Columns) {
  const Attention a = attention(kind());
  const std::string text = R"(!t = tensor<?x?x?x8xf32>
attn.kernel @k(%q: !t, %k: !t, %v: !t, %ws: tensor<?x?xf32>) -> (o: !t, mass: tensor<?x?x?xf32>) {
  %o, %mass = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = causal<bottom_right>
    )" + a.score + R"(
    scale = )" + a.scale + R"(
    columns mass = sum(%p, %s) { attn.yield %p : f32 }
    outputs o[b, h, i, e], mass[b, h, j]
    : (!t, !t, !t) -> (!t, tensor<?x?x?xf32>)
  attn.return %o, %mass : !t, tensor<?x?x?xf32>
}
)";
  for (Blocks blocks : {kTiny, Blocks{}}) {
    Call call{inputsOf(a, 2, 2, 21, 33)};
    EXPECT_EQ(check(program(text, blocks), call), "");
  }
}

/// An index that may be out of bounds is refused.
TEST(DotRefusal, LoadsWithoutBounds) {
  Attention a = attention(kKinds[2]);
  a.score = "dot(%x, %y, c = %c) { %o = arith.constant 3 : index %n = arith.addi %c, %o : index "
            "%w = attn.load %ws[%o, %n] : tensor<?x?xf32> %z = arith.mulf %w, %x : f32 attn.yield %z : f32 }";
  std::string message;
  EXPECT_FALSE(Program::make(a.text(), kTiny, message));
  EXPECT_NE(message.find("[unsupported_dot] the dot region reads 'ws' by an index of axis 0"), std::string::npos)
      << message;
  // In a static axis it is proved.
  a.args = ", %ws: tensor<4x11xf32>";
  a.score.replace(a.score.find("tensor<?x?xf32>"), 15, "tensor<4x11xf32>");
  Call call{normalInputs(a, 1, 2, 9, 20, 21)};
  call.inputs.push_back(Tensor::normal(Element::F32, {4, 11}, 5));
  EXPECT_EQ(check(program(a), call), "");
}

} // namespace
