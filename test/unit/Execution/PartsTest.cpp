// Scores with parts that are the same for many pairs: of a head, a query, a key, a difference; rows of a tensor.
#include "Harness.h"

using namespace attn;
using namespace attn::test;

namespace {

const char *const kArgs = "b = %b, h = %h, i = %i, j = %j";

Attention scored(const std::string &args, const std::string &body, const std::string &set = "causal<bottom_right>",
                 const std::string &element = "f32") {
  Attention a;
  a.element = element;
  a.set = set;
  a.args = args;
  a.score = "score(%s" + std::string(element == "f64" ? " : f64, " : ", ") + std::string(kArgs) + ") { " + body + " }";
  return a;
}

const char *const kSets[] = {"full", "causal<bottom_right>", "window<bottom_right, left = 7, right = 3>",
                             "not causal<top_left>", "dilated<top_left, step = 3> and causal<bottom_right>"};

/// In blocks of several strips, too; whole and in two chunks of the keys.
const Blocks kBlocks[] = {kTiny, {24, 32}, {}, {12, 16, 2}};

struct Sizes {
  int64_t B, H, I, J;
};
const Sizes kSizes[] = {{1, 2, 37, 53}, {2, 3, 53, 37}, {1, 1, 1, 40}, {1, 2, 96, 300}};

/// `more` makes the inputs behind q, k and v.
template <class More> void expectRight(const Attention &a, More more, attn_status status = ATTN_OK) {
  for (const Blocks &blocks : kBlocks)
    for (const Sizes &s : kSizes) {
      Call call{normalInputs(a, s.B, s.H, s.I, s.J, 3)};
      for (Tensor &t : more(s))
        call.inputs.push_back(std::move(t));
      EXPECT_EQ(check(program(a, blocks), call), "")
          << a.set << " blocks " << blocks.rows << "x" << blocks.keys << " n " << s.I << "x" << s.J;
      EXPECT_EQ(call.status, status);
    }
}

/// A difference, clamped into a table of 9, of each head.
const std::string kTable = "%lo = arith.constant -4 : index %hi = arith.constant 4 : index "
                           "%a = arith.maxsi %d, %lo : index %cl = arith.minsi %a, %hi : index "
                           "%n = arith.addi %cl, %hi : index %x = attn.load %t[%h, %n] : tensor<?x9xf32> ";

std::vector<Tensor> table(const Sizes &s) {
  std::vector<Tensor> inputs;
  inputs.push_back(Tensor::normal(Element::F32, {s.H, 9}, 4));
  return inputs;
}

TEST(Parts, TableOfDifferences) {
  for (const char *set : kSets)
    expectRight(scored(", %t: tensor<?x9xf32>",
                       "%d = arith.subi %i, %j : index " + kTable + "%r = arith.addf %s, %x : f32 attn.yield %r : f32",
                       set),
                table);
}

TEST(Parts, DifferencesInOtherWords) {
  // From the end of the queries, in 32 bits, scaled on both sides.
  const char *const words[] = {
      "%kk = arith.constant 5 : index %u = arith.addi %j, %kk : index %d = arith.subi %u, %i : index ",
      "%p = arith.index_cast %i : index to i32 %qq = arith.index_cast %j : index to i32 "
      "%e = arith.subi %qq, %p : i32 %d = arith.index_cast %e : i32 to index ",
      "%kk = arith.constant -3 : index %p = arith.muli %i, %kk : index %qq = arith.muli %kk, %j : index "
      "%d = arith.subi %p, %qq : index "};
  for (const char *word : words)
    expectRight(scored(", %t: tensor<?x9xf32>", word + kTable + "%r = arith.addf %s, %x : f32 attn.yield %r : f32"),
                table);
}

TEST(Parts, SlopesInFloats) {
  // m j - m i, rounded once where the text rounds twice.
  for (const char *element : {"f32", "bf16", "f16", "f64"}) {
    const std::string real = std::string(element) == "f64" ? "f64" : "f32";
    std::string body = "%m0 = attn.load %t[%h] : tensor<?xf32> "
                       "%p = arith.index_cast %i : index to i64 %qq = arith.index_cast %j : index to i64 "
                       "%x = arith.sitofp %p : i64 to REAL %y = arith.sitofp %qq : i64 to REAL "
                       "%u = arith.mulf %m, %x : REAL %vv = arith.mulf %y, %m : REAL %w = arith.subf %vv, %u : REAL "
                       "%r = arith.addf %w, %s : REAL attn.yield %r : REAL";
    if (real == "f64")
      body.insert(body.find("%p"), "%m = arith.extf %m0 : f32 to f64 ");
    else
      body.replace(body.find("%m0"), 3, "%m");
    for (size_t at; (at = body.find("REAL")) != std::string::npos;)
      body.replace(at, 4, real);
    expectRight(scored(", %t: tensor<?xf32>", body, "causal<bottom_right>", element), [](const Sizes &s) {
      std::vector<Tensor> inputs;
      inputs.push_back(Tensor::normal(Element::F32, {s.H}, 4));
      return inputs;
    });
  }
}

// Where the score rises with the key, blocks are visited from the last one on, head by head: seen in the rounding of a
// sum of 1, 1e8 and -1e8, one in each block, with equal weights.
TEST(Parts, RisingScoresGoDown) {
  const struct {
    std::string body;
    double sign;
  } cases[] = {
      {"%d = arith.subi %j, %i : index %n = arith.index_cast %d : index to i64 %f = arith.sitofp %n : i64 to f32 "
       "%x = arith.mulf %m, %f : f32 %r = arith.addf %s, %x : f32",
       1},
      {"%d = arith.subi %i, %j : index %n = arith.index_cast %d : index to i64 %f = arith.sitofp %n : i64 to f32 "
       "%x = arith.mulf %m, %f : f32 %y = arith.subf %s, %x : f32 %c = arith.constant -2.0 : f32 "
       "%r = arith.mulf %c, %y : f32",
       -1},
  };
  for (const auto &c : cases)
    for (const Blocks &blocks : {kTiny, Blocks{6, 16, 1}}) {
      const Attention a = scored(", %t: tensor<?xf32>",
                                 "%m = attn.load %t[%h] : tensor<?xf32> " + c.body + " attn.yield %r : f32", "full");
      const Tensor slopes = Tensor::of(Element::F32, {2}, {1e-30, -1e-30});
      Call first{normalInputs(a, 1, 2, 7, 1, 3, 0)}; // says how many keys a block has at this level
      first.inputs.push_back(slopes);
      ASSERT_EQ(first.run(program(a, blocks)), ATTN_OK);
      const int64_t keys = first.stats.block_keys;
      Call call{normalInputs(a, 1, 2, 7, 3 * keys, 3, 0)};
      call.inputs.push_back(slopes);
      call.inputs[2].fill([&](auto x) { return x[2] == 0 ? 1 : x[2] == keys ? 1e8 : x[2] == 2 * keys ? -1e8 : 0; });
      ASSERT_EQ(call.run(program(a, blocks)), ATTN_OK);
      for (int64_t h : {0, 1}) {
        const bool down = (h == 0) == (c.sign > 0);
        EXPECT_FLOAT_EQ(call.outputs[0].get({0, h, 3, 0}), down ? 1.0 / double(3 * keys) : 0)
            << c.body << " head " << h;
      }
    }
}

TEST(Parts, BadDifferencesAreAbsentAndReported) {
  // Only 20 differences are in the table, in the middle of what is visible; blocks with bad ones go pair by pair.
  const std::string body =
      "%kk = arith.constant 3 : index %d = arith.subi %i, %j : index %n = arith.addi %d, %kk : index "
      "%x = attn.load %t[%n] : tensor<?xf32> %r = arith.addf %s, %x : f32 attn.yield %r : f32";
  for (const char *set : kSets)
    for (const Blocks &blocks : kBlocks) {
      const Attention a = scored(", %t: tensor<?xf32>", body, set);
      Call call{normalInputs(a, 2, 2, 96, 80, 3)};
      call.inputs.push_back(Tensor::normal(Element::F32, {20}, 4));
      EXPECT_EQ(check(program(a, blocks), call), "") << set;
      EXPECT_EQ(call.status, ATTN_E_INDEX) << set;
    }
}

TEST(Parts, BadDifferencesThatNobodySees) {
  // Those behind the diagonal are no index; no visible pair has one.
  const std::string body = "%d = arith.subi %i, %j : index %x = attn.load %t[%d] : tensor<?xf32> "
                           "%r = arith.mulf %s, %x : f32 attn.yield %r : f32";
  expectRight(scored(", %t: tensor<?xf32>", body, "causal<top_left>"), [](const Sizes &s) {
    std::vector<Tensor> inputs;
    inputs.push_back(Tensor::normal(Element::F32, {s.I}, 4));
    return inputs;
  });
}

TEST(Parts, QueriesAndKeys) {
  // c_i - c_j and a number of the key that comes through another table.
  const std::string body =
      "%x = attn.load %c[%b, %h, %i] : tensor<?x?x?xf32> %y = attn.load %e[%b, %h, %j] : tensor<?x?x?xf32> "
      "%n = attn.load %kind[%b, %j] : tensor<?x?xi32> %m = arith.index_cast %n : i32 to index "
      "%z = attn.load %t[%h, %m] : tensor<?x9xf32> %u = arith.subf %x, %y : f32 %vv = arith.addf %u, %z : f32 "
      "%r = arith.addf %s, %vv : f32 attn.yield %r : f32";
  const std::string args =
      ", %c: tensor<?x?x?xf32>, %e: tensor<?x?x?xf32>, %kind: tensor<?x?xi32>, %t: tensor<?x9xf32>";
  for (int64_t last : {8, 9})
    expectRight(
        scored(args, body),
        [&](const Sizes &s) {
          std::vector<Tensor> inputs;
          inputs.push_back(Tensor::normal(Element::F32, {s.B, s.H, s.I}, 5));
          inputs.push_back(Tensor::normal(Element::F32, {s.B, s.H, s.J}, 6));
          Tensor kinds = Tensor::integers(Element::I32, {s.B, s.J}, 7, 0, 8);
          kinds.set({0, 2}, last); // 9 is bad, and every row of the block sees it or goes past it
          kinds.set({0, 0}, last);
          inputs.push_back(std::move(kinds));
          inputs.push_back(Tensor::normal(Element::F32, {s.H, 9}, 4));
          return inputs;
        },
        last == 9 ? ATTN_E_INDEX : ATTN_OK);
}

TEST(Parts, GroupedHeads) {
  for (const char *by : {"%h", "%g"}) {
    Attention a = scored(", %t: tensor<?x9xf32>", "%two = arith.constant 2 : index %g = arith.divui %h, %two : index "
                                                  "%d = arith.subi %j, %i : index " +
                                                      kTable + "%r = arith.addf %s, %x : f32 attn.yield %r : f32");
    a.score.replace(a.score.find("[%h, %n]"), 8, "[" + std::string(by) + ", %n]");
    a.heads = "h floordiv 4";
    for (const Blocks &blocks : kBlocks)
      for (int64_t queries : {1, 3, 40}) {
        Call call{normalInputs(a, 2, 8, queries, 53, 3, 1, 2)};
        call.inputs.push_back(Tensor::normal(Element::F32, {8, 9}, 4));
        EXPECT_EQ(check(program(a, blocks), call), "") << by << " " << queries << " queries";
      }
  }
}

TEST(Parts, RowsOfABias) {
  for (const char *element : {"f32", "bf16", "f16"}) {
    const std::string type = "tensor<?x?x?x?x" + std::string(element) + ">";
    const std::string wide = element == std::string("f32")
                                 ? "%y = arith.addf %x, %zero : f32 "
                                 : "%y = arith.extf %x : " + std::string(element) + " to f32 ";
    for (const char *set : llvm::ArrayRef(kSets).drop_front(element == std::string("f32") ? 1 : 4))
      expectRight(scored(", %t: " + type,
                         "%zero = arith.constant 0.0 : f32 %x = attn.load %t[%b, %h, %i, %j] : " + type + " " + wide +
                             "%r = arith.addf %s, %y : f32 attn.yield %r : f32",
                         set),
                  [&](const Sizes &s) {
                    std::vector<Tensor> inputs;
                    inputs.push_back(Tensor::normal(elementOf(element), {s.B, s.H, s.I, s.J}, 5, 1,
                                                    {{}, {}, {}, 1, 3, Beside::PageAfter}));
                    return inputs;
                  });
  }
}

TEST(Parts, RowsOfABiasInAnyLayout) {
  const Attention a = scored(", %t: tensor<?x?x?x?xf32>", "%x = attn.load %t[%b, %h, %i, %j] : tensor<?x?x?x?xf32> "
                                                          "%r = arith.addf %s, %x : f32 attn.yield %r : f32");
  for (const MemoryLayout &layout : {MemoryLayout{}, MemoryLayout{{3, 2, 1, 0}}, MemoryLayout{{}, {}, {}, 2},
                                     MemoryLayout{{}, {}, {3}}, MemoryLayout{{}, {}, {0, 1, 2}}}) {
    Call call{normalInputs(a, 2, 3, 40, 53, 3)};
    Tensor t(Element::F32, {2, 3, 40, 53}, layout);
    const Tensor values = Tensor::normal(Element::F32, {2, 3, 40, 53}, 5);
    t.fill([&](auto x) {
      Index at(x.begin(), x.end());
      for (int64_t axis : layout.broadcast)
        at[axis] = 0;
      return values.get(at);
    });
    call.inputs.push_back(std::move(t));
    EXPECT_EQ(check(program(a), call), "");
  }
}

TEST(Parts, ShiftedRows) {
  // t[b, h, i, j - i + n - 1], and one that is too short for the last keys.
  const std::string body =
      "%kk = arith.constant 95 : index %d = arith.subi %j, %i : index %n = arith.addi %d, %kk : index "
      "%x = attn.load %t[%b, %h, %i, %n] : tensor<?x?x?x?xf32> "
      "%r = arith.addf %s, %x : f32 attn.yield %r : f32";
  for (int64_t missing : {0, 4})
    for (const Blocks &blocks : kBlocks) {
      const Attention a = scored(", %t: tensor<?x?x?x?xf32>", body, "full");
      Call call{normalInputs(a, 1, 2, 96, 80, 3)};
      call.inputs.push_back(
          Tensor::normal(Element::F32, {1, 2, 96, 175 - missing}, 4, 1, {{}, {}, {}, 1, 0, Beside::PageAfter}));
      EXPECT_EQ(check(program(a, blocks), call), "");
      EXPECT_EQ(call.status, missing ? ATTN_E_INDEX : ATTN_OK);
    }
}

TEST(Parts, OfAScoreThatIsNotLight) {
  const std::string body = "%d = arith.subi %i, %j : index " + kTable +
                           "%y = attn.load %c[%i] : tensor<?xf32> %u = arith.mulf %s, %y : f32 "
                           "%w = math.absf %u : f32 %g = arith.negf %w : f32 %vv = math.exp %g : f32 %r = arith.addf "
                           "%vv, %x : f32 attn.yield %r : f32";
  expectRight(scored(", %t: tensor<?x9xf32>, %c: tensor<?xf32>", body), [](const Sizes &s) {
    std::vector<Tensor> inputs = table(s);
    inputs.push_back(Tensor::normal(Element::F32, {s.I}, 5));
    return inputs;
  });
}

/// A cap far above the scores, in their midst and far below: the series of tanh alone, lanes on both sides, hardly any
/// lane in the series. Infinite and undefined products go through both.
TEST(Parts, CappedScores) {
  for (const char *element : {"f32", "f64"})
    for (const char *cap : {"50.0", "1.5", "0.01"})
      for (const char *set : {"full", "causal<bottom_right>"}) {
        const std::string type = element;
        Attention a = scored("",
                             "%c = arith.constant " + std::string(cap) + " : " + type +
                                 " %x = arith.divf %s, %c : " + type + " %y = math.tanh %x : " + type +
                                 " %r = arith.mulf %c, %y : " + type + " attn.yield %r : " + type,
                             set, element);
        expectRight(a, [](const Sizes &) { return std::vector<Tensor>(); });
        for (double bad : {double(INFINITY), double(NAN)}) {
          Call call{normalInputs(a, 1, 2, 37, 53, 3)};
          call.inputs[0].set({0, 1, 5, 2}, bad);
          EXPECT_EQ(check(program(a), call), "") << set << " cap " << cap << " " << bad;
        }
      }
}

TEST(Parts, WithoutTheProduct) {
  for (const std::string &yield :
       {std::string("%r = arith.mulf %x, %x : f32 attn.yield %r : f32"), std::string("attn.yield %x : f32")})
    expectRight(scored(", %t: tensor<?x9xf32>", "%d = arith.subi %i, %j : index " + kTable + yield), table);
}

TEST(Parts, ChosenByTruthValues) {
  // Truth values of keys and differences are computed again for every pair; what they are made of is kept.
  const std::string body = "%d = arith.subi %i, %j : index " + kTable +
                           "%n0 = attn.load %kind[%j] : tensor<?xi32> %three = arith.constant 3 : i32 "
                           "%p = arith.cmpi sgt, %n0, %three : i32 %seven = arith.constant 7 : index "
                           "%qq = arith.cmpi slt, %d, %seven : index %z = arith.constant 0.5 : f32 "
                           "%u = arith.select %p, %x, %z : f32 %vv = arith.select %qq, %u, %s : f32 "
                           "%r = arith.addf %s, %vv : f32 attn.yield %r : f32";
  expectRight(scored(", %t: tensor<?x9xf32>, %kind: tensor<?xi32>", body), [](const Sizes &s) {
    std::vector<Tensor> inputs = table(s);
    inputs.push_back(Tensor::integers(Element::I32, {s.J}, 5, 0, 7));
    return inputs;
  });
}

TEST(Parts, SteepSlopes) {
  // Every microtile raises the references, or none does.
  const std::string body = "%m = attn.load %t[%h] : tensor<?xf32> %d = arith.subi %j, %i : index "
                           "%n = arith.index_cast %d : index to i64 %f = arith.sitofp %n : i64 to f32 "
                           "%x = arith.mulf %m, %f : f32 %r = arith.addf %s, %x : f32 attn.yield %r : f32";
  for (double slope : {-20.0, -0.5, 0.5, 20.0, 3e4})
    expectRight(scored(", %t: tensor<?xf32>", body), [&](const Sizes &s) {
      std::vector<Tensor> inputs;
      inputs.push_back(Tensor::of(Element::F32, {s.H}, std::vector<double>(s.H, slope)));
      return inputs;
    });
}

} // namespace
