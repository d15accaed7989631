// How many microtiles a kernel visits, against those that hold a visible pair: counted over all pairs.
#include "Harness.h"

#include "attn/Support/Random.h"

using namespace attn;
using namespace attn::test;

namespace {

struct Case {
  const char *set, *args = "", *grid = ""; // of both axes
  int64_t n = 512;
  int64_t taskRows = 0; // rows start anew here; 0: in every block
  double limit = 1;
  std::vector<Tensor> captured = {};
};

/// Elements along the last axis are drawn without repeats.
Tensor lists(Index shape, int64_t values, uint64_t seed) {
  Tensor t(Element::I32, shape);
  Random random(seed, "lists");
  uint64_t n = 0;
  t.each([&](llvm::ArrayRef<int64_t> at) {
    int64_t value;
    bool met;
    do {
      value = random.integer(n++, 0, values - 1);
      met = false;
      Index other(at.begin(), at.end());
      for (other.back() = 0; other.back() < at.back(); ++other.back())
        met |= t.get(other) == double(value);
    } while (met);
    t.set(at, double(value));
  });
  return t;
}

std::string program(const Case &c) {
  const std::string grid = *c.grid ? "[" + std::string(c.grid) + "]" : "";
  return "!t = tensor<?x?x?x8xf32>\nattn.kernel @k(%q: !t, %k: !t, %v: !t" + std::string(c.args) +
         ") -> (o: !t) {\n  %o = attn.attend dims(b, h | i" + grid + " | j" + grid +
         " | c, e)\n    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]\n    set = " + c.set +
         "\n    outputs o[b, h, i, e] : (!t, !t, !t) -> (!t)\n  attn.return %o : !t\n}\n";
}

TEST(Sharp, TilesOfNamedSets) {
  const Tensor rows64 = lists({8, 3}, 8, 1), diagonals = lists({9}, 512, 2);
  // A band and a few keys anywhere, as rows of a CSR and as bits.
  const int64_t n = 512;
  std::vector<double> offsets = {0}, columns;
  Tensor words(Element::I32, {n, n / 32});
  Random random(7, "csr");
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = std::max<int64_t>(0, i - 2); j <= i; ++j)
      columns.push_back(double(j));
    columns.push_back(double(random.integer(uint64_t(i), 0, n - 1)));
    offsets.push_back(double(columns.size()));
    std::vector<uint64_t> bits(size_t(n / 32));
    for (size_t c = size_t(offsets[size_t(i)]); c < columns.size(); ++c)
      bits[size_t(columns[c]) / 32] |= uint64_t(1) << (int64_t(columns[c]) % 32);
    for (int64_t w = 0; w < n / 32; ++w)
      words.setBits({i, w}, bits[size_t(w)]);
  }
  const Tensor from = Tensor::of(Element::I32, {n + 1}, offsets),
               to = Tensor::of(Element::I32, {int64_t(columns.size())}, columns);
  const Case cases[] = {
      {"causal<top_left>", "", "", 1024},
      {"window<top_left, left = 100, right = 0>", "", "", 1024},
      {"window<bottom_right, left = 70, right = 33>"},
      {"dilated<top_left, step = 2>"},
      {"dilated<top_left, step = 64>"},
      {"dilated<top_left, step = 40> and window<top_left, left = 200, right = 0>"},
      {"prefix<100>"},
      {"prefix<100> or causal<top_left>"},
      {"global<20>"},
      {"global<20> or window<top_left, left = 30, right = 30>", "", "", 1024},
      {"causal<top_left> and (sinks<4> or window<top_left, left = 64>)", "", "", 1024},
      {"block_causal<top_left, block = 64>", "", "", 1024},
      {"block_causal<top_left, block = 50>"},
      {"not_self<top_left> and window<top_left, left = 3, right = 3>"},
      {"blocks<%l[i floordiv 64], block = 64>", ", %l: tensor<?x?xi32>", "", 512, 64, 1, {rows64}},
      {"causal<top_left> and blocks<%l[i floordiv 64], block = 64>", ", %l: tensor<?x?xi32>", "", 512, 64, 1, {rows64}},
      {"diagonals<top_left, %l>", ", %l: tensor<?xi32>", "", 512, 0, 1, {diagonals}},
      {"diagonals<top_left, %l, symmetric>", ", %l: tensor<?xi32>", "", 512, 0, 1, {diagonals}},
      {"csr<%f, %l>", ", %f: tensor<?xi32>, %l: tensor<?xi32>", "", 512, 0, 1, {from, to}},
      {"bits<%l[i]>", ", %l: tensor<?x?xi32>", "", 512, 0, 1, {words}},
      {"random_blocks<seed = 5, probability = 0.3, block = [64, 64]>", "", "", 1024, 64},
      {"causal<top_left> and random_blocks<seed = 5, probability = 0.3, block = [64, 64]>", "", "", 1024, 64},
      {"neighborhood<size = [17]>", "", "?"},
      {"neighborhood<size = [17], causal = [1]>", "", "?"},
      {"neighborhood<size = [7, 7]>", "", "?, 32", 1024},
      {"neighborhood<size = [7, 7], dilation = [2, 2]>", "", "?, 32", 1024},
      {"neighborhood<size = [8, 8], stride = [2, 4]>", "", "?, 32", 1024},
      {"neighborhood<size = [7, 7], causal = [1, 0]>", "", "?, 32", 1024},
      {"neighborhood<size = [3, 5, 5]>", "", "?, 8, 16", 1024},
      {"halo<block = [8, 8], halo = [3, 3]>", "", "?, 32", 1024},
      {"disc<radius = 6>", "", "?, 32", 1024},
      {"disc<radius = 5>", "", "?, 8, 16", 1024},
  };
  double worst = 0;
  for (const Case &c : cases) {
    const std::string text = program(c);
    Program &p = test::program(text, {}, "raster");
    Call call;
    for (int k = 0; k < 3; ++k)
      call.inputs.push_back(Tensor::normal(Element::F32, {1, 1, c.n, 8}, 3 + k));
    call.inputs.insert(call.inputs.end(), c.captured.begin(), c.captured.end());
    call.variant = p.kernel().info().n_variants - 1; // microtiles of several rows
    ASSERT_EQ(call.run(p), ATTN_OK) << c.set;
    const attn_stats &s = call.stats;
    auto oracle = call.oracle(p);
    int64_t some = 0;
    const int64_t task = c.taskRows ? c.taskRows : s.block_rows;
    for (int64_t block = 0; block < c.n; block += task)
      for (int64_t i0 = block; i0 < std::min(c.n, block + task); i0 += s.tile_rows)
        for (int64_t j0 = 0; j0 < c.n; j0 += s.tile_keys) {
          bool visible = false;
          for (int64_t i = i0; i < std::min({c.n, block + task, i0 + s.tile_rows}) && !visible; ++i)
            for (int64_t j = j0; j < std::min(c.n, j0 + s.tile_keys) && !visible; ++j)
              visible = oracle->visible({0, 0}, i, j);
          some += visible;
        }
    const double ratio = double(s.tiles) / double(some);
    worst = std::max(worst, ratio);
    if (std::getenv("ATTN_VERBOSE"))
      std::printf("%8.3f  %s n %lld: %lld tiles, %lld needed of %lld\n", ratio, c.set, (long long)c.n,
                  (long long)s.tiles, (long long)some,
                  (long long)((c.n + s.tile_rows - 1) / s.tile_rows * ((c.n + s.tile_keys - 1) / s.tile_keys)));
    EXPECT_GE(s.tiles, some) << c.set;
    EXPECT_LE(ratio, c.limit) << c.set;
  }
  RecordProperty("worst", std::to_string(worst));
}

} // namespace
