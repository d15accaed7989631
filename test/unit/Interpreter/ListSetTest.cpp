// Sets by lists, words and rows of a sparse matrix against their formulas; lists whose elements name no key.
#include "Harness.h"

using namespace attn::test;

namespace {

/// A dense integer tensor as its values, row-major.
struct Ints {
  std::vector<int64_t> shape;
  std::vector<double> values;

  int64_t operator()(std::initializer_list<int64_t> index) const {
    int64_t offset = 0;
    size_t axis = 0;
    for (int64_t i : index)
      offset = offset * shape[axis++] + i;
    return (int64_t)values[offset];
  }
  Tensor tensor(Format f) const { return Tensor(f, shape, values); }
};

/// Values from lo to hi that look random.
Ints scrambled(std::vector<int64_t> shape, int64_t lo, int64_t hi, unsigned seed = 1) {
  int64_t size = 1;
  for (int64_t n : shape)
    size *= n;
  Ints ints{std::move(shape), {}};
  for (int64_t n = 0; n < size; ++n) {
    seed = seed * 1664525u + 1013904223u;
    ints.values.push_back((double)(lo + (int64_t)(seed >> 16) % (hi - lo + 1)));
  }
  return ints;
}

TEST(ListSet, Tokens) {
  for (auto [f, type] : {std::pair<Format, const char *>{Format::I32, "xi32>"}, {Format::I64, "xi64>"}}) {
    Ints list = scrambled({2, 2, 5}, -1, 7);
    checkSet({"tokens<%l[b, h]>", ", %l: tensor<?x?x?" + std::string(type), {list.tensor(f)}},
             [&](int64_t b, int64_t h, int64_t, int64_t j) {
               bool found = false;
               for (int64_t n = 0; n < 5; ++n)
                 found |= list({b, h, n}) == j;
               return found;
             });
  }
  // One list for all; constants; a batch dimension and the query divided.
  checkSet({"tokens<%l>", ", %l: tensor<?xi32>", {Tensor(Format::I32, {4}, {3, 3, 1, -1})}},
           [](int64_t, int64_t, int64_t, int64_t j) { return j == 1 || j == 3; });
  checkSet({"tokens<%l[1, h floordiv 2]>", ", %l: tensor<?x?x?xi32>", {Tensor(Format::I32, {2, 1, 2}, {0, 1, 2, 3})}},
           [](int64_t, int64_t, int64_t, int64_t j) { return j == 2 || j == 3; });
  Ints rows = scrambled({3, 2, 4}, -1, 7, 5);
  checkSet(
      {"causal<bottom_right> and tokens<%l[i floordiv 2, b]>", ", %l: tensor<?x?x?xi32>", {rows.tensor(Format::I32)}},
      [&](int64_t b, int64_t, int64_t i, int64_t j) {
        bool found = false;
        for (int64_t n = 0; n < 4; ++n)
          found |= rows({i / 2, b, n}) == j;
        return j <= i + 3 && found;
      });
  checkSet({"tokens<%l>", ", %l: tensor<?xi32>", {Tensor(Format::I32, {0}, {})}},
           [](int64_t, int64_t, int64_t, int64_t) { return false; });
}

TEST(ListSet, BlocksAndPages) {
  for (int64_t block : {1, 3, 4, 100}) {
    Ints list = scrambled({2, 3}, -1, (7 / block), (unsigned)block);
    for (const char *kind : {"blocks", "pages"})
      checkSet({std::string(kind) + "<%l[b], block = " + std::to_string(block) + ">",
                ", %l: tensor<?x?xi64>",
                {list.tensor(Format::I64)}},
               [&](int64_t b, int64_t, int64_t, int64_t j) {
                 bool found = false;
                 for (int64_t n = 0; n < 3; ++n)
                   found |= list({b, n}) == j / block;
                 return found;
               });
  }
}

TEST(ListSet, ElementsThatNameNoKey) {
  const std::string args = ", %l: tensor<?x?xi32>";
  auto blocks = [&](std::vector<double> list, int64_t J) { // J keys in blocks of 3
    return SetCase{"blocks<%l[b], block = 3>", args, {Tensor(Format::I32, {2, 2}, list)}, {}, 5, J};
  };
  // Batch 0 has a good list throughout: a list counts for the rows that it belongs to.
  for (auto [bad, J, reported, visible] : {std::tuple{-1, 8, false, 2},
                                           {2, 8, false, 2},
                                           {3, 8, true, 0},
                                           {-2, 8, true, 0},
                                           {1 << 30, 8, true, 0},
                                           {2, 9, false, 3},
                                           {3, 10, false, 1}}) {
    SCOPED_TRACE(bad);
    SetCase c = blocks({0, -1, -1, (double)bad}, J);
    expectBad(c, 0, 1, 4, false, 3);
    expectBad(c, 1, 0, 0, reported, bad == -1 ? 0 : visible);
  }
  // The row is empty whatever the list says: it counts all the same.
  SetCase empty = blocks({0, 1, 0, 9}, 8);
  empty.set = "empty and " + empty.set;
  expectBad(empty, 0, 0, 2, false, 0);
  expectBad(empty, 1, 0, 2, true, 0);
  SetCase negated = blocks({0, 1, 0, 9}, 8);
  negated.set = "not " + negated.set;
  expectBad(negated, 1, 0, 2, true, 5);
  // A list of rows.
  SetCase rows{
      "tokens<%l[i floordiv 2, h]>", ", %l: tensor<?x?x?xi32>", {Tensor(Format::I32, {3, 2, 1}, {0, 8, 1, -1, -7, 2})}};
  for (int64_t i = 0; i < 5; ++i) {
    expectBad(rows, 0, 0, i, i == 4, i == 4 ? 0 : 1);
    expectBad(rows, 1, 1, i, i < 2, i < 4 ? 0 : 1);
  }
  // Without keys every element is bad.
  expectBad(blocks({0, -1, -1, -1}, 0), 0, 0, 0, true, 0);
  expectBad(blocks({0, -1, -1, -1}, 0), 1, 0, 0, false, 0);
  // An element whose 64 bits end like a key's.
  SetCase wide{"tokens<%l>", ", %l: tensor<?xi64>", {Tensor(Format::I64, {1}, {4294967297.0})}};
  expectBad(wide, 0, 0, 0, true, 0);
}

TEST(ListSet, Diagonals) {
  for (auto [I, J] : {std::pair<int64_t, int64_t>{5, 8}, {8, 5}}) {
    Ints list = scrambled({2, 3}, -J, I, 3);
    for (bool symmetric : {false, true})
      for (bool right : {false, true})
        checkSet({std::string("diagonals<") + (right ? "bottom_right" : "top_left") + ", %l[h]" +
                      (symmetric ? ", symmetric>" : ">"),
                  ", %l: tensor<?x?xi32>",
                  {list.tensor(Format::I32)},
                  {},
                  I,
                  J},
                 [&, I = I, J = J](int64_t, int64_t h, int64_t i, int64_t j) {
                   int64_t distance = i + (right ? J - I : 0) - j;
                   if (symmetric)
                     distance = std::abs(distance);
                   bool found = false;
                   for (int64_t n = 0; n < 3; ++n)
                     found |= list({h, n}) == distance;
                   return found;
                 });
  }
  checkSet({"diagonals<bottom_right, %l, q = %ql, k = %kl>",
            ", %l: tensor<?xi64>, %ql: tensor<?xi64>, %kl: tensor<?xi64>",
            {Tensor(Format::I64, {2}, {0, 2}), Tensor(Format::I64, {2}, {5, 1}), Tensor(Format::I64, {2}, {0, 8})}},
           [](int64_t b, int64_t, int64_t i, int64_t j) {
             int64_t distance = i + (b ? 7 : -5) - j;
             return distance == 0 || distance == 2;
           });
  // Offsets are no indices: one that no pair has is not bad.
  SetCase far{"diagonals<top_left, %l>", ", %l: tensor<?xi64>", {Tensor(Format::I64, {3}, {1, 1e9, -1e9})}};
  expectBad(far, 0, 0, 2, false, 1);
}

TEST(ListSet, Csr) {
  Ints offsets{{2, 6}, {0, 2, 2, 5, 6, 6, 1, 1, 4, 4, 5, 7}},
      columns{{2, 7}, {7, 0, 3, 3, 1, 5, 6, 4, 2, 0, 2, 7, 1, 6}};
  for (auto [f, g] : {std::pair{Format::I32, Format::I64}, {Format::I64, Format::I32}}) {
    const std::string args = ", %ptr: tensor<?x?x" + attn::interpreter::formatName(f).str() + ">, %c: tensor<?x?x" +
                             attn::interpreter::formatName(g).str() + ">";
    SetCase c{"csr<%ptr[b], %c[b]>", args, {offsets.tensor(f), columns.tensor(g)}};
    checkSet(c, [&](int64_t b, int64_t, int64_t i, int64_t j) {
      bool found = false;
      for (int64_t n = offsets({b, i}); n < offsets({b, i + 1}); ++n)
        found |= columns({b, n}) == j;
      return found;
    });
    for (int64_t i = 0; i < 5; ++i)
      for (int64_t b = 0; b < 2; ++b)
        expectBad(c, b, 0, i, false);
  }
  checkSet({"csr<%ptr, %c>",
            ", %ptr: tensor<?xi32>, %c: tensor<?xi32>",
            {Tensor(Format::I32, {6}, {0, 1, 2, 3, 4, 5}), Tensor(Format::I32, {5}, {4, 3, 2, 1, 0})}},
           [](int64_t, int64_t, int64_t i, int64_t j) { return i + j == 4; });
}

TEST(ListSet, BadRowsOfCsr) {
  auto graph = [](std::vector<double> offsets, std::vector<double> columns) {
    return SetCase{"csr<%ptr, %c> or empty",
                   ", %ptr: tensor<?xi32>, %c: tensor<?xi64>",
                   {Tensor(Format::I32, {6}, offsets), Tensor(Format::I64, {(int64_t)columns.size()}, columns)}};
  };
  struct Row {
    bool bad;
    int64_t visible;
  };
  auto expect = [&](std::vector<double> offsets, std::vector<double> columns, std::vector<Row> rows) {
    for (int64_t i = 0; i < 5; ++i)
      expectBad(graph(offsets, columns), 1, 0, i, rows[i].bad, rows[i].visible);
  };
  expect({0, 1, 2, 3, 4, 5}, {7, 8, -1, 0, -8}, {{false, 1}, {true, 0}, {true, 0}, {false, 1}, {true, 0}});
  expect({-2, 1, 3, 2, 3, 5}, {0, 1, 2}, {{true, 1}, {false, 2}, {true, 0}, {false, 1}, {true, 0}}); // clipped to 3
  expect({0, 0, 9, 9, 3, 3}, {0, 1, 2}, {{false, 0}, {true, 3}, {true, 0}, {true, 0}, {false, 0}});
  expect({0, 0, 0, 0, 0, 0}, {}, {{false, 0}, {false, 0}, {false, 0}, {false, 0}, {false, 0}});
  expect({0, 0, 1, 1, 0, 0}, {}, {{false, 0}, {true, 0}, {true, 0}, {true, 0}, {false, 0}});
  // Bad columns that no row holds are nobody's.
  expect({1, 1, 1, 2, 2, 2}, {99, 4, 99}, {{false, 0}, {false, 0}, {false, 1}, {false, 0}, {false, 0}});
}

TEST(ListSet, Bits) {
  for (auto [f, width] : {std::pair<Format, int64_t>{Format::I8, 8}, {Format::I32, 32}, {Format::I64, 64}}) {
    for (int64_t J : {8, 9, 70}) {
      const int64_t words = ceilDiv(J, width);
      Tensor t(f, {2, 5, words}, std::vector<double>(2 * 5 * words));
      auto bit = [](int64_t b, int64_t i, int64_t j) { return (b * 31 + i * 7 + j * 5) % 3 == 0 || j == 63; };
      for (int64_t b = 0; b < 2; ++b)
        for (int64_t i = 0; i < 5; ++i)
          for (int64_t w = 0; w < words; ++w) {
            uint64_t word = 0;
            for (int64_t n = 0; n < width; ++n)
              word |= (uint64_t)bit(b, i, w * width + n) << n;
            memcpy((char *)t.abi().data + ((b * 5 + i) * words + w) * width / 8, &word, width / 8);
          }
      checkSet({"bits<%m[b, i]>", ", %m: tensor<?x?x?x" + attn::interpreter::formatName(f).str() + ">", {t}, {}, 5, J},
               [&](int64_t b, int64_t, int64_t i, int64_t j) { return bit(b, i, j); });
    }
  }
}

TEST(ListSet, ShapesThatDoNotFit) {
  auto message = [](const SetCase &c) {
    Program program(c.text());
    auto made = c.call().tryCreate(program);
    return made ? std::string() : llvm::toString(made.takeError());
  };
  auto expect = [&](const SetCase &c, const std::string &part) {
    SCOPED_TRACE(c.set);
    EXPECT_NE(message(c).find(part), std::string::npos) << message(c);
  };
  auto zeros = [](std::vector<int64_t> shape) {
    int64_t size = 1;
    for (int64_t n : shape)
      size *= n;
    return Tensor(Format::I32, shape, std::vector<double>(size));
  };
  expect({"tokens<%l[b]>", ", %l: tensor<?x?xi32>", {zeros({3, 4})}}, "ATTN_E_SHAPE: axis 0 of 'l' has extent 3");
  expect({"tokens<%l[i floordiv 2]>", ", %l: tensor<?x?xi32>", {zeros({2, 4})}}, "expected 3 for 'i'");
  expect({"diagonals<top_left, %l[h]>", ", %l: tensor<?x?xi32>", {zeros({1, 4})}}, "axis 0 of 'l' has extent 1");
  expect({"csr<%ptr, %l>", ", %ptr: tensor<?xi32>, %l: tensor<?xi32>", {zeros({5}), zeros({9})}},
         "axis 0 of 'ptr' has extent 5, expected at least 6 for 'i'");
  expect({"bits<%m>", ", %m: tensor<?xi32>", {zeros({2})}, {}, 5, 65}, "extent 2, expected 3 for 'j'");
  expect({"random_blocks<seed = 1, probability = %p, block = [2, 2]>",
          ", %p: tensor<?xf32>",
          {Tensor(Format::F32, {0}, {})}},
         "axis 0 of 'p' has extent 0");
  EXPECT_EQ(message({"bits<%m>", ", %m: tensor<?xi32>", {zeros({2})}, {}, 5, 64}), "");
}

const char *const kMember = "where(b = %b, h = %h, i = %i, j = %j) { %p = attn.member %j in %l[%i] : tensor<?x?xi32> "
                            "attn.yield %p : i1 }";

TEST(ListSet, Member) {
  Ints list = scrambled({5, 3}, -2, 9);
  checkSet({kMember, ", %l: tensor<?x?xi32>", {list.tensor(Format::I32)}}, [&](int64_t, int64_t, int64_t i, int64_t j) {
    return list({i, 0}) == j || list({i, 1}) == j || list({i, 2}) == j;
  });
  // Elements outside of the keys are plain values here.
  expectBad({kMember, ", %l: tensor<?x?xi32>", {list.tensor(Format::I32)}}, 0, 0, 0, false);
  Ints columns{{6}, {3, 1, 4, 1, 5, 2}};
  const std::string ranged =
      "where(i = %i, j = %j) { %n = attn.load %ptr[%i] : tensor<?xi64> %f = arith.index_cast %n : "
      "i64 to index %two = arith.constant 2 : index %t = arith.addi %f, %two : index "
      "%p = attn.member %j in %c[] from %f to %t : tensor<?xi64> attn.yield %p : i1 }";
  SetCase c{ranged,
            ", %ptr: tensor<?xi64>, %c: tensor<?xi64>",
            {Tensor(Format::I64, {5}, {0, 4, 5, -1, 6}), columns.tensor(Format::I64)}};
  checkSet(c, [&](int64_t, int64_t, int64_t i, int64_t j) {
    return i < 2 && (columns({i * 4}) == j || columns({i * 4 + 1}) == j);
  });
  // [4, 6) is inside; [5, 7), [-1, 1) and [6, 8) are not: every pair of such a row hangs on them.
  for (int64_t i = 0; i < 5; ++i)
    expectBad(c, 0, 1, i, i >= 2, i >= 2 ? 0 : 2);
  c.set = "window<top_left, left = 0, right = 0> minus " + ranged;
  for (int64_t i = 0; i < 5; ++i) // (0, 0), (1, 1): 0 is not in {3, 1}, 1 not in {5, 2}
    expectBad(c, 0, 1, i, i >= 2, i >= 2 ? 0 : 1);
  c.set = "empty and " + ranged;
  for (int64_t i = 0; i < 5; ++i)
    expectBad(c, 0, 1, i, false, 0);
}

TEST(ListSet, MemberOutsideOfItsList) {
  // Row 3 and 4 have no list.
  SetCase c{"where(i = %i, j = %j) { %one = arith.constant 1 : index %r = arith.addi %i, %one : index "
            "%p = attn.member %j in %l[%r] : tensor<?x?xi32> attn.yield %p : i1 }",
            ", %l: tensor<?x?xi32>",
            {Tensor(Format::I32, {4, 1}, {0, 1, 2, 3})}};
  for (int64_t i = 0; i < 5; ++i)
    expectBad(c, 0, 0, i, i > 2, i > 2 ? 0 : 1);
  // from > to is an empty range and no fault.
  SetCase none{"where(i = %i, j = %j) { %a = arith.constant 3 : index %z = arith.constant 0 : index "
               "%p = attn.member %j in %l[] from %a to %z : tensor<?xi32> attn.yield %p : i1 }",
               ", %l: tensor<?xi32>",
               {Tensor(Format::I32, {3}, {0, 1, 2})}};
  expectBad(none, 0, 0, 0, false, 0);
}

TEST(ListSet, MemberInAScore) {
  Program program(simpleKernel(
      1,
      "score(%s, i = %i, j = %j) { %d = arith.subi %i, %j : index %p = attn.member %d in %l[] : tensor<?xi32> "
      "%ninf = arith.constant 0xff800000 : f32 %t = arith.select %p, %s, %ninf : f32 attn.yield %t : f32 }",
      ", %l: tensor<?xi32>"));
  SetCase c;
  Call call = c.call();
  call.tensors.push_back(Tensor(Format::I32, {3}, {0, 2, 2}));
  auto interpreter = call.create(program);
  const Tensor &q = call.tensors[0], &k = call.tensors[1], &v = call.tensors[2];
  for (int64_t i = 0; i < 5; ++i) {
    std::vector<Pair> pairs;
    for (int64_t j = 0; j < 8; ++j)
      if (i - j == 0 || i - j == 2)
        pairs.push_back({q({1, 1, i, 0}) * k({1, 1, j, 0}), [&v, j](int64_t) { return v({1, 1, j, 0}); }});
    expectRow(interpreter->row({1, 1}, i, Precision::Double), softmaxRow(pairs, 1), 1e-14, "row");
  }
}

} // namespace
