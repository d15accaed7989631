// Every named set, pair by pair: the kernel and the interpreter against the formula of docs/language.md, written once
// more here (ATTN_LONG=1: more parameters). Values are unit vectors, so o[i, j] is the weight of the pair (i, j), and 0
// where it is absent.
#include "Harness.h"

#include "attn/Support/Philox.h"

using namespace attn;
using namespace attn::test;

namespace {

constexpr int64_t kKeys = 64; // at most

struct Extents {
  int64_t I, J;
};
using Formula = std::function<bool(const Extents &e, int64_t h, int64_t i, int64_t j)>;

struct Named {
  std::string set;
  Formula visible;
  std::string args = "", grid = "", first = "";
  std::vector<Tensor> captured = {};
  std::vector<attn_scalar> params = {};
  std::vector<Extents> extents = {{1, 1}, {7, 7}, {17, 33}, {33, 17}, {48, 48}, {64, 64}, {5, 64}};
};

int64_t floorDiv(int64_t a, int64_t b) { return a / b - (a % b < 0); }
int64_t mod(int64_t a, int64_t b) { return a - floorDiv(a, b) * b; }

std::string text(const Named &n) {
  const std::string grid = n.grid.empty() ? "" : "[" + n.grid + "]";
  return "!t = tensor<?x?x?x8xf32>\n!v = tensor<?x?x?x64xf32>\nattn.kernel @k(%q: !t, %k: !t, %v: !v" + n.args +
         ") -> (o: !v) {\n  %o = attn.attend dims(b, h | i" + grid + " | j" + grid +
         " | c, e)\n    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]\n    " + n.first + " set = " + n.set +
         "\n    outputs o[b, h, i, e] : (!t, !t, !v) -> (!v)\n  attn.return %o : !v\n}\n";
}

void expectPairs(const Named &n) {
  for (const char *order : {"raster", "boxes"})
    for (Blocks blocks : {kTiny, Blocks{}}) {
      const bool boxes = std::string(order) == "boxes";
      // Sets over grids are many: one size each, and all of both where there is time.
      if (n.grid.empty() ? boxes : !std::getenv("ATTN_LONG") && boxes == (blocks.rows > 0))
        continue;
      Program &p = program(text(n), blocks, order);
      for (const Extents &e : n.extents) {
        Call call;
        call.params = n.params;
        call.inputs = {Tensor::normal(Element::F32, {1, 2, e.I, 8}, 1, 0.1),
                       Tensor::normal(Element::F32, {1, 2, e.J, 8}, 2), Tensor(Element::F32, {1, 2, e.J, kKeys})};
        call.inputs[2].fill([](llvm::ArrayRef<int64_t> at) { return at[2] == at[3]; });
        call.inputs.insert(call.inputs.end(), n.captured.begin(), n.captured.end());
        ASSERT_EQ(call.run(p), ATTN_OK) << n.set;
        auto oracle = call.oracle(p);
        std::string wrong;
        for (int64_t h = 0; h < 2; ++h)
          for (int64_t i = 0; i < e.I; ++i)
            for (int64_t j = 0; j < e.J; ++j) {
              const bool expected = n.visible(e, h, i, j), kernel = call.outputs[0].get({0, h, i, j}) != 0,
                         interpreter = oracle->visible({0, h}, i, j);
              if (wrong.empty() && (kernel != expected || interpreter != expected))
                wrong = "head " + std::to_string(h) + " pair " + std::to_string(i) + ", " + std::to_string(j) +
                        (expected ? " is in the set" : " is not in the set") +
                        (kernel != expected ? "; the kernel differs" : "") +
                        (interpreter != expected ? "; the interpreter differs" : "");
            }
        EXPECT_EQ(wrong, "") << n.set << " " << n.first << " grid " << n.grid << " I " << e.I << " J " << e.J
                             << " blocks " << blocks.rows << " " << order;
      }
    }
}

TEST(NamedSet, Diagonals) {
  const auto shift = [](const Extents &e) { return e.J - e.I; };
  for (bool right : {false, true}) {
    const std::string a = right ? "bottom_right" : "top_left";
    const auto at = [=](const Extents &e, int64_t i) { return right ? i + shift(e) : i; };
    expectPairs({"causal<" + a + ">", [=](const Extents &e, int64_t, int64_t i, int64_t j) { return j <= at(e, i); }});
    expectPairs({"window<" + a + ", left = 5, right = -2>", [=](const Extents &e, int64_t, int64_t i, int64_t j) {
                   return at(e, i) - 5 <= j && j <= at(e, i) - 2;
                 }});
    expectPairs(
        {"not_self<" + a + ">", [=](const Extents &e, int64_t, int64_t i, int64_t j) { return j != at(e, i); }});
    for (int64_t step : {1, 2, 5, 16, 100})
      expectPairs({"dilated<" + a + ", step = " + std::to_string(step) + ">",
                   [=](const Extents &e, int64_t, int64_t i, int64_t j) { return mod(at(e, i) - j, step) == 0; }});
    for (int64_t block : {1, 4, 6, 16, 17})
      expectPairs({"block_causal<" + a + ", block = " + std::to_string(block) + ">",
                   [=](const Extents &e, int64_t, int64_t i, int64_t j) {
                     return floorDiv(j, block) <= floorDiv(at(e, i), block);
                   }});
    const std::vector<double> list = {3, -20, 0, 3, 17, -1, 9};
    for (bool symmetric : {false, true})
      expectPairs({"diagonals<" + a + ", %l" + (symmetric ? ", symmetric>" : ">"),
                   [=](const Extents &e, int64_t, int64_t i, int64_t j) {
                     const int64_t d = at(e, i) - j;
                     return llvm::is_contained(list, double(symmetric ? std::abs(d) : d));
                   },
                   ", %l: tensor<?xi32>",
                   "",
                   "",
                   {Tensor::of(Element::I32, {7}, list)}});
  }
}

TEST(NamedSet, Prefixes) {
  for (int64_t p : {-1, 0, 1, 7, 16, 100}) {
    const std::string n = std::to_string(p);
    expectPairs({"sinks<" + n + ">", [=](const Extents &, int64_t, int64_t, int64_t j) { return j < p; }});
    expectPairs({"prefix<" + n + ">", [=](const Extents &, int64_t, int64_t, int64_t j) { return j < p; }});
    expectPairs({"global<" + n + ">", [=](const Extents &, int64_t, int64_t i, int64_t j) { return i < p || j < p; }});
    expectPairs({"global<%p>",
                 [=](const Extents &, int64_t, int64_t i, int64_t j) { return i < p || j < p; },
                 ", %p: i32",
                 "",
                 "",
                 {},
                 {integerParam(p)}});
  }
}

TEST(NamedSet, SharedPrefix) {
  const int64_t n = 48;
  const Tensor q = Tensor::integers(Element::I32, {n}, 3, 0, 3), k = Tensor::integers(Element::I32, {n}, 4, 0, 3);
  const auto id = [](const Tensor &t, int64_t at) { return int64_t(t.get({at})); };
  for (int64_t shared : {0, 2, 9})
    for (int64_t all : {-1, 1, 3}) {
      std::string set = "shared_prefix<q = %q2, k = %k2, shared = " + std::to_string(shared);
      set += all < 0 ? ">" : ", all = " + std::to_string(all) + ">";
      expectPairs({set,
                   [=](const Extents &, int64_t, int64_t i, int64_t j) {
                     return id(k, j) == id(q, i) || id(k, j) == shared || (all >= 0 && id(q, i) == all);
                   },
                   ", %q2: tensor<?xi32>, %k2: tensor<?xi32>",
                   "",
                   "",
                   {q, k},
                   {},
                   {{n, n}}});
    }
}

TEST(NamedSet, Lists) {
  const std::vector<double> elements = {2, 0, -1, 2, 3, -1, 1, 1, -1, -1, 0, 3, 3, 3, 0, -1};
  const auto has = [=](int64_t h, int64_t row, int64_t x) { // element [h, row, 2]
    for (int64_t n = 0; n < 2; ++n)
      if (elements[size_t((h * 4 + row) * 2 + n)] == double(x))
        return true;
    return false;
  };
  const std::string type = ", %l: tensor<?x?x?xi64>";
  const Tensor list = Tensor::of(Element::I64, {2, 4, 2}, elements);
  expectPairs({"blocks<%l[h, i floordiv 12], block = 16>",
               [=](const Extents &, int64_t h, int64_t i, int64_t j) { return has(h, i / 12, j / 16); },
               type,
               "",
               "",
               {list},
               {},
               {{48, 64}, {37, 49}}});
  expectPairs({"tokens<%l[h, i]>",
               [=](const Extents &, int64_t h, int64_t i, int64_t j) { return has(h, i, j); },
               type,
               "",
               "",
               {list},
               {},
               {{4, 4}, {4, 40}}});
  expectPairs({"pages<%l[h, 3], block = 11>",
               [=](const Extents &, int64_t h, int64_t, int64_t j) { return has(h, 3, j / 11); },
               type,
               "",
               "",
               {list},
               {},
               {{4, 44}, {30, 34}, {9, 60}}});
  const std::vector<double> offsets = {1, 1, 4, 4, 8}, columns = {9, 5, 5, 30, 0, 47, 46, 1, 7};
  expectPairs({"csr<%f, %c>",
               [=](const Extents &, int64_t, int64_t i, int64_t j) {
                 for (size_t n = size_t(offsets[size_t(i)]); n < size_t(offsets[size_t(i) + 1]); ++n)
                   if (columns[n] == double(j))
                     return true;
                 return false;
               },
               ", %f: tensor<?xi32>, %c: tensor<?xi64>",
               "",
               "",
               {Tensor::of(Element::I32, {5}, offsets), Tensor::of(Element::I64, {9}, columns)},
               {},
               {{4, 48}, {3, 64}, {1, 31}}});
}

TEST(NamedSet, Bits) {
  for (const char *element : {"i8", "i32", "i64"}) {
    const Element type = elementOf(element);
    const int64_t width = 8 * bytesOf(type);
    for (int64_t J : {1, 8, 31, 33, 64}) {
      Tensor words(type, {2, 19, (J + width - 1) / width});
      uint64_t state = 88172645463325252u;
      words.each([&](llvm::ArrayRef<int64_t> at) {
        state ^= state << 13, state ^= state >> 7, state ^= state << 17;
        words.setBits(at, width == 64 ? state : state & ((uint64_t(1) << width) - 1));
      });
      expectPairs({"bits<%w[h, i]>",
                   [=](const Extents &, int64_t h, int64_t i, int64_t j) {
                     return bool(words.bits({h, i, j / width}) >> (j % width) & 1);
                   },
                   std::string(", %w: tensor<?x?x?x") + element + ">",
                   "",
                   "",
                   {words},
                   {},
                   {{19, J}}});
    }
  }
}

TEST(NamedSet, RandomBlocks) {
  const std::vector<double> table = {1, 0.75, 0.5, 0.25, 0};
  for (int64_t seed : {int64_t(5), int64_t(-1), int64_t(0x123456789abcdef0), INT64_MIN})
    for (auto [rows, keys] : {std::pair<int64_t, int64_t>{6, 16}, {5, 7}, {64, 64}, {1, 1}}) {
      const std::string block = ", block = [" + std::to_string(rows) + ", " + std::to_string(keys) + "]>";
      const auto draw = [rows = rows, keys = keys, seed](int64_t h, int64_t i, int64_t j) {
        return randomUnit(seed, {0, h, i / rows, j / keys});
      };
      expectPairs({"random_blocks<seed = %s, probability = 0.4" + block,
                   [=](const Extents &, int64_t h, int64_t i, int64_t j) { return draw(h, i, j) < 0.4f; },
                   ", %s: i64",
                   "",
                   "",
                   {},
                   {integerParam(seed)}});
      expectPairs({"random_blocks<seed = %s, probability = %p" + block,
                   [=, rows = rows, keys = keys](const Extents &, int64_t h, int64_t i, int64_t j) {
                     return draw(h, i, j) < table[size_t(std::min<int64_t>(std::abs(i / rows - j / keys), 4))];
                   },
                   ", %s: i64, %p: tensor<?xf32>",
                   "",
                   "",
                   {Tensor::of(Element::F32, {5}, table)},
                   {integerParam(seed)}});
    }
}

// Grids.

using Coordinates = std::vector<int64_t>;

/// One axis of a set, by coordinates and the extent of the key grid.
using AxisFormula = std::function<bool(size_t axis, int64_t x, int64_t y, int64_t N)>;

Formula onGrid(Coordinates inner, int64_t first,
               std::function<bool(const Coordinates &, const Coordinates &, const Coordinates &)> visible) {
  return [=](const Extents &e, int64_t, int64_t i, int64_t j) {
    if (i < first || j < first)
      return false;
    int64_t below = 1;
    for (int64_t n : inner)
      below *= n;
    const auto at = [&](int64_t t) {
      Coordinates c;
      for (size_t axis = inner.size(); axis-- > 0; t /= inner[axis])
        c.insert(c.begin(), t % inner[axis]);
      c.insert(c.begin(), t);
      return c;
    };
    Coordinates extents = {(e.J - first + below - 1) / below};
    extents.insert(extents.end(), inner.begin(), inner.end());
    return visible(at(i - first), at(j - first), extents);
  };
}

Formula everyAxis(Coordinates inner, int64_t first, AxisFormula axisVisible) {
  return onGrid(std::move(inner), first, [=](const Coordinates &x, const Coordinates &y, const Coordinates &n) {
    for (size_t axis = 0; axis < x.size(); ++axis)
      if (!axisVisible(axis, x[axis], y[axis], n[axis]))
        return false;
    return true;
  });
}

std::string list(const Coordinates &values) {
  std::string s;
  for (int64_t v : values)
    s += (s.empty() ? "" : ", ") + std::to_string(v);
  return "[" + s + "]";
}

struct Shape {
  const char *grid;
  Coordinates inner;
};
const Shape kShapes[] = {{"?", {}}, {"?, 8", {8}}, {"?, 5", {5}}, {"?, 3, 4", {3, 4}}, {"?, 1, 7", {1, 7}}};
const std::vector<Extents> kGridExtents = {{64, 64}, {48, 48}, {47, 47}, {10, 61}, {7, 7}, {1, 1}};

TEST(NamedSet, Neighborhoods) {
  struct Parameters {
    Coordinates size, dilation, stride, causal;
  };
  const Parameters all[] = {
      {{3, 3, 3}, {1, 1, 1}, {1, 1, 1}, {0, 0, 0}}, {{4, 7, 2}, {1, 1, 1}, {1, 1, 1}, {0, 0, 0}},
      {{3, 5, 3}, {2, 3, 1}, {1, 1, 1}, {0, 0, 0}}, {{5, 4, 3}, {1, 1, 1}, {2, 4, 3}, {0, 0, 0}},
      {{3, 3, 3}, {1, 1, 1}, {1, 1, 1}, {1, 0, 1}}, {{4, 5, 2}, {2, 1, 2}, {3, 2, 2}, {1, 0, 0}},
      {{4, 6, 3}, {1, 2, 1}, {4, 3, 1}, {0, 1, 1}}, {{99, 99, 99}, {1, 1, 1}, {1, 1, 1}, {0, 0, 0}}};
  for (const Shape &shape : kShapes)
    for (const Parameters &p : all)
      for (int64_t first : {0, 6}) {
        if (!std::getenv("ATTN_LONG") && (first == 6) != (&p - all) % 2)
          continue;
        const size_t rank = shape.inner.size() + 1;
        const auto cut = [&](Coordinates c) { return list(Coordinates(c.begin(), c.begin() + int64_t(rank))); };
        const auto axis = [=](size_t a, int64_t x, int64_t y, int64_t N) {
          const int64_t k = p.size[a], d = p.dilation[a], t = p.stride[a], at = x / d;
          const int64_t n = (N - x % d + d - 1) / d, group = at / t * t;
          if (y % d != x % d)
            return false;
          if (p.causal[a]) {
            const int64_t c = std::min(group + t - 1, n - 1);
            return std::max<int64_t>(c - k + 1, 0) <= y / d && y / d < at + 1;
          }
          const int64_t c = std::min(group + t / 2, n - 1), lo = std::max<int64_t>(std::min(c - k / 2, n - k), 0);
          return lo <= y / d && y / d < lo + k;
        };
        expectPairs({"neighborhood<size = " + cut(p.size) + ", dilation = " + cut(p.dilation) +
                         ", stride = " + cut(p.stride) + ", causal = " + cut(p.causal) + ">",
                     everyAxis(shape.inner, first, axis),
                     ", %f: i64",
                     shape.grid,
                     "first = %f",
                     {},
                     {integerParam(first)},
                     kGridExtents});
      }
}

TEST(NamedSet, Halos) {
  for (const Shape &shape : kShapes)
    for (const Coordinates &block : {Coordinates{2, 2, 2}, {8, 4, 3}, {1, 5, 1}})
      for (bool padded : {false, true}) {
        const Coordinates halo = {1, 3, 0};
        const size_t rank = shape.inner.size() + 1;
        const auto cut = [&](Coordinates c) { return list(Coordinates(c.begin(), c.begin() + int64_t(rank))); };
        const auto axis = [=](size_t a, int64_t x, int64_t y, int64_t) {
          const int64_t B = block[a], h = halo[a], from = x / B * B;
          return padded ? from <= y && y < from + B + 2 * h : from - h <= y && y < from + B + h;
        };
        expectPairs({"halo<block = " + cut(block) + ", halo = " + cut(halo) + (padded ? ", padded>" : ">"),
                     everyAxis(shape.inner, 0, axis),
                     "",
                     shape.grid,
                     "",
                     {},
                     {},
                     kGridExtents});
      }
}

TEST(NamedSet, Discs) {
  for (const Shape &shape : kShapes)
    for (int64_t radius : {int64_t(-2), int64_t(0), int64_t(1), int64_t(2), int64_t(4), int64_t(1) << 33, INT64_MAX})
      for (int64_t first : {0, 5})
        expectPairs({"disc<radius = %r>",
                     onGrid(shape.inner, first,
                            [=](const Coordinates &x, const Coordinates &y, const Coordinates &) {
                              int64_t sum = 0;
                              for (size_t axis = 0; axis < x.size(); ++axis)
                                sum += (x[axis] - y[axis]) * (x[axis] - y[axis]);
                              return radius > 0 && (radius > 1000 || sum < radius * radius);
                            }),
                     ", %f: i64, %r: i64",
                     shape.grid,
                     "first = %f",
                     {},
                     {integerParam(first), integerParam(radius)},
                     kGridExtents});
}

} // namespace
