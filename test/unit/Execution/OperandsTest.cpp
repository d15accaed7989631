// What q, k and v are made of: parts, slices, regions, element types. Every program in every variant, with blocks of
// the schedule and tiny ones, split and not, by one thread and by two, in tensors with poison between their elements.
#include "Harness.h"

using namespace attn;
using namespace attn::test;

namespace {

constexpr Blocks kSplit{6, 16, 3};

/// A program over B, H, I, J with the value's extent dv.
struct Operands {
  std::string args, dims = "c, e", body, types, set, prelude;
  int64_t dv = 16;
  std::string head = "b, h", out = "f32";

  std::string text() const {
    std::string o = "tensor<?x?x?x" + std::to_string(dv) + "x" + out + ">";
    std::string l = std::string("tensor<?x?x?x") + (out == "f64" ? "f64" : "f32") + ">";
    return prelude + "attn.kernel @k(" + args + ") -> (o: " + o + ", lse: " + l +
           ") {\n  %o, %lse = attn.attend dims(" + head + " | i | j | " + dims + ")\n    " + body + "\n" +
           (set.empty() ? "" : "    set = " + set + "\n") + "    outputs o[b, h, i, e], lse[b, h, i]\n    : (" + types +
           ") -> (" + o + ", " + l + ")\n  attn.return %o, %lse : " + o + ", " + l + "\n}\n";
  }
};

Tensor laidOut(const Tensor &t, const MemoryLayout &layout) {
  Tensor r(t.element, t.shape, layout);
  r.each([&](auto at) { r.setBits(at, t.bits(at)); });
  return r;
}

/// The status, the same for all variants and layouts, and their results by the error rule.
void expectRight(const std::string &text, const std::vector<Tensor> &inputs, attn_status status = ATTN_OK,
                 bool splits = true) {
  for (Blocks blocks : {Blocks{}, kTiny, kSplit}) {
    if (blocks.split && !splits)
      continue;
    Program &p = program(text, blocks);
    for (int32_t variant = 0; variant < p.kernel().info().n_variants; ++variant) {
      Call call{inputs};
      call.variant = variant;
      if (call.run(p) == ATTN_E_VARIANT)
        continue;
      EXPECT_EQ(call.status, status) << text << "variant " << variant << " blocks " << blocks.rows << "x"
                                     << blocks.keys;
      EXPECT_EQ(compare(p, call), "") << text << "variant " << variant << " blocks " << blocks.rows << "x"
                                      << blocks.keys;
      Call two = call;
      two.workers = 2;
      two.run(p);
      EXPECT_TRUE(sameBits(call, two)) << text << "two threads";
      // Every other element, axes exchanged, misaligned; the tensor ends where memory does.
      for (Beside beside : {Beside::Poison, Beside::PageAfter}) {
        Call strided = call;
        for (Tensor &t : strided.inputs) {
          MemoryLayout layout;
          layout.beside = beside;
          layout.offset = beside == Beside::Poison ? 3 : 0;
          if (t.shape.size() > 2)
            layout.order = {1, 0};
          for (size_t axis = layout.order.size(); axis > 0 && axis < t.shape.size(); ++axis)
            layout.order.push_back(int64_t(axis));
          layout.step = beside == Beside::Poison ? 2 : 1;
          t = laidOut(t, layout);
        }
        // Keys are read where they lie only where features lie next to each other.
        const bool refused = strided.run(p) == ATTN_E_VARIANT && beside == Beside::Poison;
        EXPECT_TRUE(refused || sameBits(call, strided)) << text << "strided";
      }
    }
  }
}

Tensor f32(Index shape, uint64_t seed, double scale = 1) {
  return Tensor::normal(Element::F32, std::move(shape), seed, scale);
}

const char *const kPlainTypes = "!t, !t, !t";

/// `partner` and `angle` name the feature's partner and the table's column; `first` is true of the one that is turned
/// by the negative sine.
std::string rotary(const std::string &token, int64_t d, bool interleaved, int64_t turned) {
  const std::string tensor = token == "i" ? "%q" : "%k";
  const std::string half = std::to_string(turned / 2), all = std::to_string(turned);
  std::string indices = interleaved ? R"(
      %one = arith.constant 1 : index
      %two = arith.constant 2 : index
      %zero = arith.constant 0 : index
      %odd = arith.remui %c, %two : index
      %first = arith.cmpi eq, %odd, %zero : index
      %partner = arith.xori %c, %one : index
      %m = arith.divui %c, %two : index
      %last = arith.constant )" + std::to_string(turned / 2 - 1) +
                                          R"( : index
      %n = arith.minsi %m, %last : index)"
                                    : R"(
      %half = arith.constant )" + half + R"( : index
      %n = arith.remui %c, %half : index
      %first = arith.cmpi ult, %c, %half : index
      %up = arith.addi %c, %half : index
      %down = arith.subi %c, %half : index
      %partner = arith.select %first, %up, %down : index)";
  return " as (%x, b = %b, h = %h, " + token + " = %t, c = %c) {" + indices + R"(
      %turned = arith.constant )" +
         all + R"( : index
      %turns = arith.cmpi ult, %c, %turned : index
      %p = attn.load %at[%b, %t] : tensor<?x?xi32>
      %row = arith.index_cast %p : i32 to index
      %y = attn.load )" +
         tensor + R"([%b, %h, %t, %partner] : !t
      %cos = attn.load %c0[%row, %n] : !table
      %sin = attn.load %s0[%row, %n] : !table
      %minus = arith.negf %sin : f32
      %s = arith.select %first, %minus, %sin : f32
      %u = arith.mulf %x, %cos : f32
      %turn = arith.mulf %y, %s : f32
      %w = arith.addf %u, %turn : f32
      %z = arith.select %turns, %w, %x : f32
      attn.yield %z : f32
    })";
}

Operands rope(int64_t d, bool interleaved, int64_t turned) {
  Operands o;
  o.prelude =
      "!t = tensor<?x?x?x" + std::to_string(d) + "xf32>\n!table = tensor<?x" + std::to_string(turned / 2) + "xf32>\n";
  o.args = "%q: !t, %k: !t, %v: !t, %at: tensor<?x?xi32>, %c0: !table, %s0: !table";
  o.body = "q = %q[b, h, i, c]" + rotary("i", d, interleaved, turned) + "\n    k = %k[b, h, j, c]" +
           rotary("j", d, interleaved, turned) + "\n    v = %v[b, h, j, e]";
  o.types = kPlainTypes;
  o.dv = d;
  return o;
}

TEST(Operands, LatentInPartsAndSlices) {
  for (int64_t c : {32, 19}) {
    const int64_t r = 16, all = c + r;
    const std::string n = std::to_string(c), lat = "tensor<?x?x" + std::to_string(all) + "xbf16>";
    const std::string qn = "tensor<?x?x?x" + n + "xf32>", qr = "tensor<?x?x?x16xf16>";
    Operands o;
    o.args = "%qn: " + qn + ", %qr: " + qr + ", %lat: " + lat;
    o.dims = "c = " + n + ", r = 16, e = " + n;
    o.body = "q = %qn[b, h, i, c] | %qr[b, h, i, r]\n    k = %lat[b, j, c] | %lat[b, j, r + " + n +
             "]\n    v = %lat[b, j, e]";
    o.types = qn + ", " + lat + ", " + lat + ", " + qr + ", " + lat;
    o.set = "causal<bottom_right>";
    o.dv = c;
    expectRight(o.text(), {f32({2, 3, 20, c}, 1), Tensor::normal(Element::F16, {2, 3, 20, r}, 2),
                           Tensor::normal(Element::BF16, {2, 45, all}, 3)});
  }
}

TEST(Operands, RotaryPositions) {
  struct Row {
    int64_t d, turned;
    bool interleaved;
  };
  for (const Row &row : {Row{16, 16, false}, {16, 16, true}, {40, 24, true}, {24, 8, false}, {6, 6, true}}) {
    Operands o = rope(row.d, row.interleaved, row.turned);
    std::vector<Tensor> inputs{f32({2, 2, 45, row.d}, 1),    f32({2, 2, 45, row.d}, 2),
                               f32({2, 2, 45, row.d}, 3),    Tensor::integers(Element::I32, {2, 45}, 4, 0, 29),
                               f32({30, row.turned / 2}, 5), f32({30, row.turned / 2}, 6)};
    expectRight(o.text(), inputs);
  }
}

/// A position out of the table: the key or the query is absent, and reported unless it is -1.
TEST(Operands, BadPositions) {
  Operands o = rope(16, false, 16);
  for (const char *set : {"", "causal<top_left>", "prefix<30>"})
    for (int64_t bad : {int64_t(-1), int64_t(30), int64_t(-2)}) {
      o.set = set;
      std::vector<Tensor> inputs{f32({2, 2, 45, 16}, 1), f32({2, 2, 45, 16}, 2),
                                 f32({2, 2, 45, 16}, 3), Tensor::integers(Element::I32, {2, 45}, 4, 0, 29),
                                 f32({30, 8}, 5),        f32({30, 8}, 6)};
      inputs[3].set({0, 7}, double(bad));
      inputs[3].set({1, 40}, double(bad));
      inputs[3].set({1, 41}, -1);
      expectRight(o.text(), inputs, bad == -1 ? ATTN_OK : ATTN_E_INDEX);
    }
  // A bad index that no pair has is none.
  o.set = "where(i = %i, j = %j) { %n = arith.constant 7 : index %a = arith.cmpi ne, %i, %n : index "
          "%b = arith.cmpi ne, %j, %n : index %p = arith.andi %a, %b : i1 attn.yield %p : i1 }";
  std::vector<Tensor> inputs{f32({1, 2, 45, 16}, 1), f32({1, 2, 45, 16}, 2),
                             f32({1, 2, 45, 16}, 3), Tensor::integers(Element::I32, {1, 45}, 4, 0, 29),
                             f32({30, 8}, 5),        f32({30, 8}, 6)};
  inputs[3].set({0, 7}, 1000);
  expectRight(o.text(), inputs, ATTN_OK);
  inputs[4] = f32({0, 8}, 5); // nothing can be read
  expectRight(o.text(), inputs, ATTN_E_INDEX);
}

TEST(Operands, NormedQueriesAndKeys) {
  Operands o;
  o.prelude = "!t = tensor<?x?x?x24xf32>\n!n = tensor<?x?x?xf32>\n";
  o.args = "%q: !t, %k: !t, %v: !t, %qn: !n, %kn: !n, %gain: tensor<24xf32>";
  auto region = [](const char *token, const char *norm) {
    return std::string(" as (%x, b = %b, h = %h, ") + token + " = %t, c = %c) {\n %n = attn.load " + norm +
           "[%b, %h, %t] : !n\n %g = attn.load %gain[%c] : tensor<24xf32>\n %y = arith.mulf %x, %n : f32\n"
           " %z = arith.mulf %y, %g : f32\n attn.yield %z : f32 }\n    ";
  };
  o.body = "q = %q[b, h, i, c]" + region("i", "%qn") + "k = %k[b, h, j, c]" + region("j", "%kn") + "v = %v[b, h, j, e]";
  o.types = kPlainTypes;
  o.dv = 24;
  expectRight(o.text(), {f32({2, 2, 20, 24}, 1), f32({2, 2, 33, 24}, 2), f32({2, 2, 33, 24}, 3), f32({2, 2, 20}, 4),
                         f32({2, 2, 33}, 5), f32({24}, 6)});
}

std::string scaled(const char *token, const char *scale, bool grouped) {
  const std::string head = grouped ? "%two = arith.constant 2 : index\n %hk = arith.divui %h, %two : index\n" : "";
  return std::string(" as (%x : i8, b = %b, h = %h, j = %j) {\n ") + head +
         " %f = arith.sitofp %x : i8 to f32\n %s = attn.load " + scale + "[%b, " + (grouped ? "%hk" : "%h") +
         ", %j] : tensor<?x?x?xf32>\n %y = arith.mulf %f, %s : f32\n attn.yield %y : f32 }\n    ";
}

TEST(Operands, BytesByTheScaleOfATokenAndHeadsInGroups) {
  for (bool grouped : {false, true})
    for (int64_t d : {16, 21}) {
      const std::string n = std::to_string(d), head = grouped ? "h floordiv 2" : "h";
      Operands o;
      o.prelude = "!t = tensor<?x?x?x" + n + "xf32>\n!b = tensor<?x?x?x" + n + "xi8>\n!s = tensor<?x?x?xf32>\n";
      o.args = "%q: !t, %k: !b, %v: !b, %ks: !s, %vs: !s";
      o.body = "q = %q[b, h, i, c]\n    k = %k[b, " + head + ", j, c]" + scaled("j", "%ks", grouped) + "v = %v[b, " +
               head + ", j, e]" + scaled("j", "%vs", grouped);
      o.types = "!t, !b, !b";
      o.dv = d;
      const int64_t heads = grouped ? 2 : 4;
      expectRight(o.text(), {f32({2, 4, 20, d}, 1), Tensor::integers(Element::I8, {2, heads, 45, d}, 2, -128, 127),
                             Tensor::integers(Element::I8, {2, heads, 45, d}, 3, -128, 127),
                             f32({2, heads, 45}, 4, 0.02), f32({2, heads, 45}, 5, 0.02)});
    }
}

/// Two numbers of four bits in a byte, a scale for a group of 32 features; 320 features are a loop over runs.
TEST(Operands, HalfBytesByTheScaleOfAGroup) {
  for (int64_t d : {64, 96, 320}) {
    const std::string n = std::to_string(d);
    Operands o;
    o.prelude = "!t = tensor<?x?x?x" + n + "xf32>\n!b = tensor<?x?x?x" + std::to_string(d / 2) +
                "xi8>\n!s = tensor<?x?x?x" + std::to_string(d / 32) + "xf32>\n";
    o.args = "%q: !t, %k: !b, %v: !b, %ks: !s, %vs: !s";
    o.dims = "c = " + n + ", e = " + n;
    auto region = [](const char *feature, const char *scale, bool narrow) {
      return std::string(" as (%x : i8, b = %b, h = %h, j = %j, ") + feature + R"( = %c) {
      %two = arith.constant 2 : index
      %four = arith.constant 4 : index
      %group = arith.constant 32 : index
      %odd = arith.remui %c, %two : index
      %bits = arith.muli %odd, %four : index
      %n = arith.divui %c, %group : index)" +
             (narrow ? R"(
      %shift = arith.index_cast %bits : index to i8
      %mask = arith.constant 15 : i8
      %eight = arith.constant 8 : i8
      %down = arith.shrui %x, %shift : i8
      %low = arith.andi %down, %mask : i8
      %m = arith.subi %low, %eight : i8
      %f = arith.sitofp %m : i8 to f32)"
                     : R"(
      %shift = arith.index_cast %bits : index to i32
      %left = arith.constant 28 : i32
      %up = arith.subi %left, %shift : i32
      %wide = arith.extsi %x : i8 to i32
      %top = arith.shli %wide, %up : i32
      %m = arith.shrsi %top, %left : i32
      %f = arith.sitofp %m : i32 to f32)") +
             "\n      %s = attn.load " + scale +
             "[%b, %h, %j, %n] : !s\n      %y = arith.mulf %f, %s : f32\n      attn.yield %y : f32 }\n    ";
    };
    o.body = "q = %q[b, h, i, c]\n    k = %k[b, h, j, c floordiv 2]" + region("c", "%ks", true) +
             "v = %v[b, h, j, e floordiv 2]" + region("e", "%vs", false);
    o.types = "!t, !b, !b";
    o.dv = d;
    expectRight(o.text(), {f32({1, 2, 9, d}, 1), Tensor::integers(Element::I8, {1, 2, 45, d / 2}, 2, -128, 127),
                           Tensor::integers(Element::I8, {1, 2, 45, d / 2}, 3, -128, 127),
                           f32({1, 2, 45, d / 32}, 4, 0.1), f32({1, 2, 45, d / 32}, 5, 0.1)});
  }
}

TEST(Operands, TypesOfTheirOwn) {
  const char *const types[][4] = {{"f32", "f8E4M3FN", "f8E5M2", "f32"},
                                  {"f8E5M2", "bf16", "f16", "bf16"},
                                  {"f64", "f8E4M3FN", "f32", "f64"},
                                  {"f16", "f64", "f8E5M2", "f64"}};
  for (auto &row : types)
    for (int64_t d : {16, 11}) {
      const std::string n = std::to_string(d);
      auto tensor = [&](const char *element) { return "tensor<?x?x?x" + n + "x" + element + ">"; };
      auto elementNamed = [](const std::string &name) {
        return name == "f8E4M3FN" ? Element::F8E4M3FN : name == "f8E5M2" ? Element::F8E5M2 : elementOf(name);
      };
      Operands o;
      o.args = "%q: " + tensor(row[0]) + ", %k: " + tensor(row[1]) + ", %v: " + tensor(row[2]);
      o.body = "q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]";
      o.types = tensor(row[0]) + ", " + tensor(row[1]) + ", " + tensor(row[2]);
      o.out = row[3];
      o.dv = d;
      o.set = "causal<top_left>";
      expectRight(o.text(), {Tensor::normal(elementNamed(row[0]), {2, 2, 20, d}, 1),
                             Tensor::normal(elementNamed(row[1]), {2, 2, 33, d}, 2),
                             Tensor::normal(elementNamed(row[2]), {2, 2, 33, d}, 3)});
    }
}

/// One key a row: the output is its value. Every code of both formats, by vectors and one by one.
TEST(Operands, AllCodesOfEightBits) {
  for (const char *name : {"f8E4M3FN", "f8E5M2"})
    for (int64_t step : {1, 3})
      for (const char *out : {"f32", "f64"}) {
        const Element element = std::string(name) == "f8E4M3FN" ? Element::F8E4M3FN : Element::F8E5M2;
        const std::string v = std::string("tensor<?x?x?x256x") + name + ">",
                          q = std::string("tensor<?x?x?x4x") + out + ">";
        Operands o;
        o.args = "%q: " + q + ", %k: " + q + ", %v: " + v;
        o.body = "q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]";
        o.types = q + ", " + q + ", " + v;
        o.out = out;
        o.dv = 256;
        Tensor values(element, {1, 1, 1, 256}, {{}, {}, {}, step});
        for (int64_t code = 0; code < 256; ++code)
          values.setBits({0, 0, 0, code}, uint64_t(code));
        Call call{
            {Tensor::normal(elementOf(out), {1, 1, 1, 4}, 1), Tensor::normal(elementOf(out), {1, 1, 1, 4}, 2), values}};
        ASSERT_EQ(call.run(program(o.text())), ATTN_OK);
        for (int64_t code = 0; code < 256; ++code) {
          const double want = element == Element::F8E4M3FN ? fromF8E4M3FN(uint8_t(code)) : fromF8E5M2(uint8_t(code));
          const double got = call.outputs[0].get({0, 0, 0, code});
          EXPECT_TRUE(got == want || (std::isnan(got) && std::isnan(want))) << name << " " << code << ": " << got;
        }
      }
}

/// `sharing`: heads to a head of the pages.
Operands paged(int sharing = 1) {
  Operands o;
  o.prelude = "!q = tensor<?x?x?x16xf32>\n!pool = tensor<?x4x?x16xbf16>\n";
  o.args = "%q: !q, %table: tensor<?x?xi32>, %kp: !pool, %vp: !pool, %len: tensor<?xi32>";
  o.dims = "c = 16, e = 16";
  auto region = [&](const char *feature, const char *pool) {
    return std::string(" as (%page : i32, h = %h, j = %j, ") + feature +
           " = %c) {\n %four = arith.constant 4 : index\n" +
           " %n = arith.remui %j, %four : index\n %p = arith.index_cast %page : i32 to index\n" +
           " %share = arith.constant " + std::to_string(sharing) +
           " : index\n %g = arith.divui %h, %share : index\n %x = attn.load " + pool +
           "[%p, %n, %g, %c] : !pool\n %y = arith.extf %x : bf16 to f32\n attn.yield %y : f32 }\n    ";
  };
  o.body = "q = %q[b, h, i, c]\n    k = %table[b, j floordiv 4]" + region("c", "%kp") + "v = %table[b, j floordiv 4]" +
           region("e", "%vp");
  o.types = "!q, tensor<?x?xi32>, tensor<?x?xi32>";
  o.set = "lengths<k = %len>";
  return o;
}

/// `queries` of twice as many heads as share keys.
void expectRightPages(int64_t queries, int sharing) {
  const Operands o = paged(sharing);
  std::vector<Tensor> inputs{f32({2, 2 * sharing, queries, 16}, 1), Tensor::integers(Element::I32, {2, 13}, 2, 0, 19),
                             Tensor::normal(Element::BF16, {20, 4, 2, 16}, 3),
                             Tensor::normal(Element::BF16, {20, 4, 2, 16}, 4), Tensor::of(Element::I32, {2}, {40, 52})};
  expectRight(o.text(), inputs);
  // Padding is absent; what lies behind the length does not matter.
  inputs[1].set({0, 3}, -1);
  inputs[1].set({0, 12}, 12345);
  inputs[1].set({0, 11}, -7);
  expectRight(o.text(), inputs);
  for (int64_t batch : {0, 1})
    for (int64_t page : {int64_t(0), int64_t(9)}) {
      std::vector<Tensor> bad = inputs;
      bad[1].set({batch, page}, 20);
      expectRight(o.text(), bad, ATTN_E_INDEX);
    }
  std::vector<Tensor> none = inputs;
  none[1].fill([](auto) { return -1; });
  expectRight(o.text(), none); // no keys at all
}

TEST(Operands, PagesByATable) { expectRightPages(7, 1); }

// Keys are read where they lie, and heads that share them are rows together.
TEST(Operands, PagesOfFewQueries) {
  expectRightPages(1, 1);
  for (int64_t queries : {1, 3})
    for (int sharing : {2, 4})
      expectRightPages(queries, sharing);
}

/// Queries and keys by lists of their own order: the token's element is its place.
TEST(Operands, QueriesByAList) {
  Operands o;
  o.prelude = "!t = tensor<?x?x?x16xf32>\n";
  o.args = "%at: tensor<?x?xi32>, %q: !t, %k: !t, %v: !t";
  o.types = "tensor<?x?xi32>, !t, !t";
  Tensor at = Tensor::integers(Element::I32, {2, 20}, 1, 0, 32);
  at.set({0, 4}, -1);
  // Some part of q is indexed by the head.
  o.body = "q = %at[b, i] as (%n : i32, b = %b, h = %h, c = %c) {\n %p = arith.index_cast %n : i32 to index\n"
           " %x = attn.load %q[%b, %h, %p, %c] : !t\n attn.yield %x : f32 } | %zero[b, h, i, r]\n"
           "    k = %k[b, h, j, c] | %one[j, r]\n    v = %v[b, h, j, e]";
  o.args += ", %zero: tensor<?x?x?x1xf32>, %one: tensor<?x1xf32>";
  o.dims = "c = 16, r, e";
  o.types += ", tensor<?x?x?x1xf32>, tensor<?x1xf32>";
  std::vector<Tensor> inputs{at,
                             f32({2, 2, 33, 16}, 2),
                             f32({2, 2, 45, 16}, 3),
                             f32({2, 2, 45, 16}, 4),
                             f32({2, 2, 20, 1}, 5),
                             f32({45, 1}, 6)};
  expectRight(o.text(), inputs);
  inputs[0].set({1, 19}, 33);
  expectRight(o.text(), inputs, ATTN_E_INDEX);
}

/// Keys that go by a list, by boxes, by lists of the queries; a key's region is that of the key, not of its place.
TEST(Operands, KeysInOtherOrders) {
  struct Row {
    const char *grids, *set, *arg;
    Index shape;
  };
  const Row rows[] = {{"i | j", "tokens<%list[b]>", "tensor<?x?xi32>", {2, 13}},
                      {"i | j", "tokens<%list[b, i]>", "tensor<?x?x?xi32>", {2, 48, 5}},
                      {"i[6, 8] | j[6, 8]", "disc<radius = 3>", "tensor<?xi32>", {3}}};
  for (const Row &row : rows) {
    Operands o;
    o.prelude = "!t = tensor<?x?x?x16xf32>\n!b = tensor<?x?x?x16xi8>\n";
    o.args = std::string("%q: !t, %k: !b, %v: !b, %ks: tensor<?x?x?xf32>, %vs: tensor<?x?x?xf32>, %list: ") + row.arg;
    o.body = "q = %q[b, h, i, c]\n    k = %k[b, h, j, c]" + scaled("j", "%ks", false) + "v = %v[b, h, j, e]" +
             scaled("j", "%vs", false);
    o.types = "!t, !b, !b";
    o.set = row.set;
    std::string text = o.text();
    text.replace(text.find("| i | j |"), 9, std::string("| ") + row.grids + " |");
    Tensor list = Tensor::integers(Element::I32, row.shape, 6, 0, 47);
    if (row.shape.size() > 1)
      list.each([&](auto at) {
        if (at.back() == 2)
          list.set(at, -1);
      });
    expectRight(text,
                {f32({2, 2, 48, 16}, 1), Tensor::integers(Element::I8, {2, 2, 48, 16}, 2, -128, 127),
                 Tensor::integers(Element::I8, {2, 2, 48, 16}, 3, -128, 127), f32({2, 2, 48}, 4, 0.02),
                 f32({2, 2, 48}, 5, 0.02), list},
                ATTN_OK, /*splits=*/false);
  }
}

TEST(Operands, AbsentInOtherOrders) {
  for (const char *set : {"tokens<%list[b]>", "tokens<%list[b]> and causal<top_left>", "disc<radius = 3>"}) {
    Operands o = rope(16, false, 16);
    o.args += ", %list: tensor<?x?xi32>";
    o.set = set;
    std::string text = o.text();
    if (o.set[0] == 'd')
      text.replace(text.find("| i | j |"), 9, "| i[6, 8] | j[6, 8] |");
    for (int64_t bad : {int64_t(-1), int64_t(30)}) {
      std::vector<Tensor> inputs{f32({2, 2, 48, 16}, 1),
                                 f32({2, 2, 48, 16}, 2),
                                 f32({2, 2, 48, 16}, 3),
                                 Tensor::integers(Element::I32, {2, 48}, 4, 0, 29),
                                 f32({30, 8}, 5),
                                 f32({30, 8}, 6),
                                 Tensor::of(Element::I32, {2, 5}, {40, 3, -1, 7, 20, 11, 7, 30, 2, 9})};
      inputs[3].set({0, 7}, double(bad));
      inputs[3].set({1, 33}, -1);
      expectRight(text, inputs, bad == -1 ? ATTN_OK : ATTN_E_INDEX, /*splits=*/false);
    }
  }
}

/// NaN in what nobody sees, before and after a region.
TEST(Operands, NonFiniteWhereNobodyLooks) {
  for (int sharing : {1, 2}) {
    Operands o = paged(sharing);
    std::vector<Tensor> inputs{f32({1, 2 * sharing, sharing == 1 ? 7 : 1, 16}, 1),
                               Tensor::of(Element::I32, {1, 5}, {3, 1, -1, 0, 2}),
                               Tensor::normal(Element::BF16, {4, 4, 2, 16}, 3),
                               Tensor::normal(Element::BF16, {4, 4, 2, 16}, 4), Tensor::of(Element::I32, {1}, {18})};
    // The last two keys of page 2 lie behind the length.
    for (int64_t n : {2, 3})
      for (int64_t c = 0; c < 16; ++c)
        inputs[2].set({2, n, 0, c}, kNaN), inputs[3].set({2, n, 1, c}, kInf);
    expectRight(o.text(), inputs);
  }
}

} // namespace
