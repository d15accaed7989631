// Lists that blocks of queries share: panels that are listed wherever they lie, and keys that tasks gather. Lists
// repeat elements, are padded, empty, long, sorted and not; queries and keys end inside blocks.
#include "Harness.h"

#include <fmt/format.h>

using namespace attn;
using namespace attn::test;

namespace {

struct Case {
  std::string set;
  int64_t rows, block, length; // queries of a list, keys of an element, elements
  std::string clauses = "";    // score, reduce
  std::string args = "";
  std::function<Tensor(int64_t I, int64_t J)> more = nullptr;
  std::string outputs = "", types = "", names = "", results = "";
};

std::string textOf(const Case &c) {
  return fmt::format(R"(!t = tensor<?x?x?x24xf32>
!r = tensor<?x?x?xf32>
attn.kernel @k(%q: !t, %k: !t, %v: !t, %l: tensor<?x?x?x?xi32>{0}) -> (o: !t, lse: !r{6}) {{
  %o, %lse{5} = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h floordiv 2, j, c] v = %v[b, h floordiv 2, j, e]
    set = {1}
    {2}
    outputs o[b, h, i, e], lse[b, h, i]{3}
    : (!t, !t, !t) -> (!t, !r{4})
  attn.return %o, %lse{5} : !t, !r{4}
}}
)",
                     c.args, c.set, c.clauses, c.outputs, c.types, c.names, c.results);
}

enum class Order { Any, Ascending, Padded, Empty };

/// Lists of each kind: head 0 any order with repeats and padding, head 1 ascending, head 2 so and padded behind, head 3
/// empty but for the last; the first elements of any order reach the last key.
Tensor lists(const Case &c, int64_t I, int64_t J, uint64_t seed) {
  const int64_t groups = (I + c.rows - 1) / c.rows, most = (J + c.block - 1) / c.block - 1;
  Tensor t = Tensor::integers(Element::I32, {1, 4, groups, c.length}, seed, -1, most);
  for (int64_t g = 0; g < groups; ++g) {
    t.set({0, 0, g, 0}, double(most));
    for (int64_t h : {1, 2, 3}) {
      int64_t at = g % 3;
      for (int64_t n = 0; n < c.length; ++n, at += 1 + (n * 7 + g) % 3) {
        bool held = at <= most && (h == 1 || (h == 2 && n < c.length / 2) || (h == 3 && g == groups - 1));
        t.set({0, h, g, n}, held ? double(at) : -1);
      }
    }
  }
  return t;
}

void expectRight(const Case &c, llvm::ArrayRef<Blocks> sizes, int workers = 1) {
  for (const Blocks &blocks : sizes) {
    Program &p = program(textOf(c), blocks);
    for (auto [I, J] : {std::pair<int64_t, int64_t>{c.rows, 64}, {3 * c.rows + 5, 700}, {2 * c.rows - 1, 333}})
      for (int32_t variant = p.kernel().info().n_variants; variant-- > 0;) {
        Call call;
        call.inputs = {Tensor::normal(Element::F32, {1, 4, I, 24}, 1), Tensor::normal(Element::F32, {1, 2, J, 24}, 2),
                       Tensor::normal(Element::F32, {1, 2, J, 24}, 3), lists(c, I, J, 4)};
        if (c.more)
          call.inputs.push_back(c.more(I, J));
        call.variant = variant;
        call.workers = workers;
        const std::string difference = check(p, call);
        if (call.status == ATTN_E_VARIANT)
          continue;
        EXPECT_EQ(difference, "") << c.set << " " << c.clauses << " I " << I << " J " << J << " variant " << variant
                                  << " blocks " << blocks.rows << " x " << blocks.keys;
        EXPECT_EQ(call.status, ATTN_OK);
      }
  }
}

// Panels of 16 keys and more; forced blocks of 16 and 80 keys are one panel and five.
const Blocks kSizes[] = {{}, kTiny, {24, 80}};

std::vector<Case> sets() {
  return {{"blocks<%l[b, h, i floordiv 48], block = 16>", 48, 16, 9},
          {"blocks<%l[b, h, i floordiv 24], block = 37>", 24, 37, 5},
          {"tokens<%l[b, h, i floordiv 24]>", 24, 1, 50},
          {"tokens<%l[b, h, i floordiv 48]>", 48, 1, 300},
          {"blocks<%l[b, h, i floordiv 24], block = 3>", 24, 3, 20},
          {"tokens<%l[b, h, i floordiv 7]>", 7, 1, 20}};
}

TEST(Listed, Alone) {
  for (const Case &c : sets())
    expectRight(c, kSizes);
}

TEST(Listed, BesideOtherConditions) {
  for (Case c : sets())
    for (const char *more : {" and causal<bottom_right>", " and (sinks<20> or window<bottom_right, left = 90>)",
                             " and tokens<%m[b]>", " minus blocks<%m[b], block = 5>"}) {
      Case with = c;
      with.set += more;
      if (with.set.find("%m") != std::string::npos) {
        with.args = ", %m: tensor<?x?xi32>";
        with.more = [](int64_t, int64_t) { return Tensor::integers(Element::I32, {1, 30}, 9, -1, 12); };
      }
      expectRight(with, {Blocks{}, kTiny});
    }
}

TEST(Listed, Scores) {
  const struct {
    const char *type, *body;
    std::function<Tensor(int64_t I, int64_t J)> table;
  } scores[] = {{"tensor<?xf32>", "%x = attn.load %t[%j] : tensor<?xf32> ",
                 [](int64_t, int64_t J) { return Tensor::normal(Element::F32, {J}, 5); }},
                {"tensor<?x?xf32>", "%x = attn.load %t[%i, %j] : tensor<?x?xf32> ",
                 [](int64_t I, int64_t J) { return Tensor::normal(Element::F32, {I, J}, 6); }},
                {"tensor<?xf32>",
                 "%n = arith.constant 149 : index %d = arith.subi %j, %i : index %m = arith.addi %d, %n : index "
                 "%x = attn.load %t[%m] : tensor<?xf32> ",
                 [](int64_t, int64_t) { return Tensor::normal(Element::F32, {1000}, 7); }}};
  for (Case c : sets())
    for (const auto &score : scores) {
      c.args = std::string(", %t: ") + score.type;
      c.clauses = std::string("score(%s, b = %b, h = %h, i = %i, j = %j) { ") + score.body +
                  "%r = arith.addf %s, %x : f32 attn.yield %r : f32 }";
      c.more = score.table;
      expectRight(c, {Blocks{}, kTiny});
    }
}

TEST(Listed, Outputs) {
  for (Case c : sets()) {
    c.clauses =
        "reduce id = argmax\n    reduce top = max\n    reduce far = sum(%s, j = %j) { %z = arith.mulf %s, %s : f32 "
        "attn.yield %z : f32 }";
    c.outputs = ", id[b, h, i], top[b, h, i], far[b, h, i]";
    c.types = ", tensor<?x?x?xi32>, !r, !r";
    c.names = ", %id, %top, %far";
    c.results = ", id: tensor<?x?x?xi32>, top: !r, far: !r";
    expectRight(c, {Blocks{}, kTiny});
  }
}

TEST(Listed, Workers) {
  for (const Case &c : sets())
    expectRight(c, {Blocks{}}, 3);
}

/// What no query of a block has listed does not count, whatever it is; what is listed makes its rows NaN.
TEST(Listed, NotFinite) {
  for (const Case &c : sets())
    for (double bad : {kNaN, kInf}) {
      Program &p = program(textOf(c), {});
      Call call;
      const int64_t I = 2 * c.rows, J = 400;
      call.inputs = {Tensor::normal(Element::F32, {1, 4, I, 24}, 1), Tensor::normal(Element::F32, {1, 2, J, 24}, 2),
                     Tensor::normal(Element::F32, {1, 2, J, 24}, 3), lists(c, I, J, 4)};
      for (int64_t j = 1; j < J; j += 29)
        call.inputs[2].set({0, j % 2, j, j % 24}, bad);
      EXPECT_EQ(check(p, call), "") << c.set;
    }
}

TEST(Listed, BadElements) {
  for (const Case &c : sets()) {
    Program &p = program(textOf(c), {});
    const int64_t I = 2 * c.rows, J = 64, units = (J + c.block - 1) / c.block;
    for (int64_t bad : {units, int64_t(-2)})
      for (int64_t h : {0, 1}) {
        Call call;
        call.inputs = {Tensor::normal(Element::F32, {1, 4, I, 24}, 1), Tensor::normal(Element::F32, {1, 2, J, 24}, 2),
                       Tensor::normal(Element::F32, {1, 2, J, 24}, 3), lists(c, I, J, 4)};
        call.inputs[3].set({0, h, 1, c.length / 2}, double(bad));
        call.run(p);
        EXPECT_EQ(call.status, ATTN_E_INDEX) << c.set;
        EXPECT_EQ(call.error.found, bad) << c.set;
      }
  }
}

/// Of 2000 keys a block of queries visits the listed ones, in whole panels.
TEST(Listed, GatheredKeysAreAllThatIsVisited) {
  const Case c{"tokens<%l[b, h, i floordiv 48]>", 48, 1, 64};
  Program &p = program(textOf(c), {});
  Call call;
  call.inputs = {Tensor::normal(Element::F32, {1, 4, 96, 24}, 1), Tensor::normal(Element::F32, {1, 2, 2000, 24}, 2),
                 Tensor::normal(Element::F32, {1, 2, 2000, 24}, 3),
                 Tensor::integers(Element::I32, {1, 4, 2, 64}, 5, 0, 1999)};
  ASSERT_EQ(call.run(p), ATTN_OK);
  const int64_t strips = (48 + call.stats.tile_rows - 1) / call.stats.tile_rows;
  EXPECT_LE(call.stats.tiles, 4 * 2 * strips * ((64 + call.stats.tile_keys - 1) / call.stats.tile_keys));
}

/// Blocks of queries of batch entries that are many pack what they share themselves: the same bits as packed before.
TEST(Listed, ManyHeadsOfFewQueries) {
  const std::string text = R"(!t = tensor<?x?x?x24xf32>
attn.kernel @k(%q: !t, %k: !t, %v: !t, %l: tensor<?x?x?xi32>) -> (o: !t) {
  %o = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = tokens<%l[b, h]>
    outputs o[b, h, i, e] : (!t, !t, !t) -> (!t)
  attn.return %o : !t
}
)";
  for (Blocks blocks : {Blocks{}, Blocks{24, 80}}) {
    Program &p = program(text, blocks);
    for (int64_t heads : {1, 4, 9})
      for (int64_t I : {1, 20, 100, 133, 300}) {
        Call call;
        call.inputs = {Tensor::normal(Element::F32, {2, heads, I, 24}, 1),
                       Tensor::normal(Element::F32, {2, heads, 500, 24}, 2),
                       Tensor::normal(Element::F32, {2, heads, 500, 24}, 3),
                       Tensor::integers(Element::I32, {2, heads, 301}, 4, -1, 499)};
        call.workers = 2;
        EXPECT_EQ(check(p, call), "") << heads << " heads, " << I << " queries";
      }
  }
}

} // namespace
