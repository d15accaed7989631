// Random lists, bits, random blocks and sets over grids.
#include "FuzzProgram.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>

using namespace attn;
using namespace attn::test;

FuzzGrids test::makeGrids(Draw &draw, Call &call, std::string &args, int64_t I, int64_t J) {
  FuzzGrids g;
  const int rank = int(draw.in(1, 3));
  auto grid = [&] {
    std::vector<int64_t> extents = {-1};
    for (int axis = 1; axis < rank; ++axis)
      extents.push_back(draw.in(1, rank == 2 ? 12 : 6));
    return extents;
  };
  g.query = grid();
  g.key = draw.chance(70) ? g.query : grid();
  const int kind = int(draw.in(0, 3));
  if (kind == 2) {
    g.firstClause = fmt::format("first = {}", draw.in(0, std::max(I, J) + 3));
  } else if (kind == 3) {
    const std::string type = draw.of<std::string>({"index", "i64", "i32"});
    args += ", %first: " + type;
    call.params.push_back(integerParam(draw.chance(85) ? draw.in(0, std::max(I, J) / 2 + 1) : draw.in(-9, J + 9)));
    g.firstClause = "first = %first";
    // With a run-time `first` a static grid is a shape that may hold fewer tokens or more than there are.
    for (std::vector<int64_t> *extents : {&g.query, &g.key})
      if (draw.chance(30))
        (*extents)[0] = draw.in(1, 12);
  }
  return g;
}

std::string test::gridText(const std::vector<int64_t> &grid) {
  std::string text;
  for (int64_t extent : grid)
    text += (text.empty() ? "" : ", ") + (extent < 0 ? std::string("?") : std::to_string(extent));
  return text.empty() ? "" : "[" + text + "]";
}

std::string FuzzRegions::gridLeaf() {
  auto perAxis = [&](auto value) {
    std::string text;
    for (size_t axis = 0; axis < grids.key.size(); ++axis)
      text += (axis ? ", " : "") + std::to_string(value(axis));
    return "[" + text + "]";
  };
  switch (draw.in(0, 3)) {
  case 0:
    return "disc<radius = " + scalar(-1, 7) + ">";
  case 1: {
    std::string h = "halo<block = " + perAxis([&](size_t) { return draw.in(1, 6); });
    h += ", halo = " + perAxis([&](size_t) { return draw.in(0, 4); });
    return h + (draw.chance(30) ? ", padded>" : ">");
  }
  default: {
    std::vector<int64_t> size;
    for (size_t axis = 0; axis < grids.key.size(); ++axis)
      size.push_back(draw.in(1, 9));
    std::string n = "neighborhood<size = " + perAxis([&](size_t axis) { return size[axis]; });
    if (draw.chance(50))
      n += ", dilation = " + perAxis([&](size_t) { return draw.of<int64_t>({1, 1, 2, 3, 5}); });
    if (draw.chance(50))
      n += ", stride = " + perAxis([&](size_t axis) { return draw.in(1, size[axis]); });
    if (draw.chance(50))
      n += ", causal = " + perAxis([&](size_t) { return draw.in(0, 1); });
    return n + ">";
  }
  }
}

/// Indices of a list's leading axes: `query` 0 none, 1 the bare query, 2 divided too.
FuzzRegions::Leading FuzzRegions::leading(int query) {
  Leading l;
  const int nb = int(batchNames.size());
  auto add = [&](int d, int64_t divisor) {
    l.indices += (l.indices.empty() ? "" : ", ") + dimName(d);
    if (divisor > 1)
      l.indices += " floordiv " + std::to_string(divisor);
    l.shape.push_back((extents[size_t(d)] + divisor - 1) / divisor);
  };
  for (int d = 0; d < nb; ++d)
    if (draw.chance(45))
      add(d, draw.chance(20) ? 2 : 1);
  if (query && draw.chance(55))
    add(nb, query == 2 && draw.chance(50) ? draw.of<int64_t>({2, 5, 6, 12, 16, 24, 64}) : 1);
  if (draw.chance(8)) {
    const int64_t n = draw.in(0, 2);
    l.indices += (l.indices.empty() ? "" : ", ") + std::to_string(n);
    l.shape.push_back(n + draw.in(1, 2));
  }
  return l;
}

MemoryLayout FuzzRegions::capturedLayout(size_t rank) {
  MemoryLayout layout;
  for (size_t axis = 0; axis < rank; ++axis)
    layout.pad.push_back(draw.in(0, 2));
  layout.offset = draw.in(0, 3);
  layout.step = draw.chance(20) ? 2 : 1;
  return layout;
}

std::string FuzzRegions::addTensor(const std::string &element, Tensor tensor) {
  const std::string name = newName("t");
  std::string type = "tensor<";
  for (size_t axis = 0; axis < tensor.shape.size(); ++axis)
    type += "?x";
  args += fmt::format(", %{}: {}{}>", name, type, element);
  call.inputs.push_back(std::move(tensor));
  return name;
}

/// Lists along the last axis: elements in [lo, hi], padding, repeats, in any order or as promised.
Tensor FuzzRegions::listTensor(const std::string &element, Index shape, int64_t lo, int64_t hi, const ListKind &kind) {
  const int64_t length = shape.back();
  Tensor t(elementOf(element), shape, capturedLayout(shape.size()));
  const int padding = draw.of<int>({0, 0, 20, 60});
  Index row(shape.begin(), shape.end() - 1);
  bool bad = false;
  Tensor rows(Element::I8, row.empty() ? Index{1} : row);
  rows.each([&](llvm::ArrayRef<int64_t> at) {
    std::vector<int64_t> values;
    std::set<int64_t> met;
    for (int64_t n = 0; n < length; ++n) {
      int64_t value = lo > hi || (kind.padded && draw.chance(padding)) ? -1 : draw.in(lo, hi);
      const bool pad = kind.padded && value == -1;
      if (kind.unique && !pad && !met.insert(value).second) {
        if (!kind.padded) { // the next that is new
          while (!met.insert(value).second)
            ++value;
        } else {
          value = -1;
        }
      }
      values.push_back(value);
    }
    if (kind.sorted) {
      std::sort(values.begin(), values.end());
      if (kind.padded)
        std::rotate(values.begin(), std::upper_bound(values.begin(), values.end(), -1), values.end());
    }
    if (kind.mayBeBad && length && !bad && !kind.sorted && !kind.unique && draw.chance(30)) {
      values[size_t(draw.in(0, length - 1))] = draw.of<int64_t>({-2, hi + 1, hi + 1, hi + 100, -100000, 1 << 30});
      bad = true;
    }
    for (int64_t n = 0; n < length; ++n) {
      Index index = row.empty() ? Index{} : Index(at.begin(), at.end());
      index.push_back(n);
      t.set(index, double(values[size_t(n)]));
    }
  });
  return t;
}

std::string FuzzRegions::listLeaf() {
  const int nb = int(batchNames.size());
  const int64_t I = extents[size_t(nb)], J = extents[size_t(nb) + 1], longest = std::max<int64_t>(I, J);
  const std::string element = draw.of<std::string>({"i32", "i64"});
  ListKind kind;
  kind.sorted = draw.chance(25);
  kind.unique = draw.chance(25);
  auto promises = [&] { return std::string(kind.sorted ? ", sorted" : "") + (kind.unique ? ", unique" : ""); };
  auto brackets = [](const std::string &indices) { return indices.empty() ? "" : "[" + indices + "]"; };
  auto count = [&] { return draw.chance(8) ? 0 : draw.chance(70) ? draw.in(1, 12) : draw.in(13, 60); };
  switch (draw.in(0, 7)) {
  case 0:
  case 1: {
    const std::string name = draw.of<std::string>({"tokens", "blocks", "pages"});
    const int64_t block = name == "tokens" ? 1 : draw.of<int64_t>({1, 2, 3, 8, 16, 17, 64});
    const Leading at = leading(2);
    Index shape = at.shape;
    shape.push_back(count());
    kind.padded = true;
    kind.mayBeBad = draw.chance(15);
    const std::string list = addTensor(element, listTensor(element, shape, 0, (J + block - 1) / block - 1, kind));
    return fmt::format("{}<%{}{}{}{}>", name, list, brackets(at.indices),
                       name == "tokens" ? "" : fmt::format(", block = {}", block), promises());
  }
  case 2: {
    const std::string align = draw.of<std::string>({"top_left", "bottom_right"});
    std::string lengths;
    if (align == "bottom_right" && draw.chance(20))
      lengths = ", q = " + lengthTensor(I) + ", k = " + lengthTensor(J);
    const Leading at = leading(0);
    Index shape = at.shape;
    shape.push_back(count());
    const std::string list = addTensor(element, listTensor(element, shape, -longest - 1, longest + 1, kind));
    return fmt::format("diagonals<{}, %{}{}{}{}{}>", align, list, brackets(at.indices),
                       draw.chance(40) ? ", symmetric" : "", promises(), lengths);
  }
  case 3: {
    const Leading at = leading(0);
    Index columns = at.shape, offsets = at.shape;
    const int64_t n = draw.chance(10) ? 0 : draw.in(1, 4 * I + 3);
    columns.push_back(n);
    offsets.push_back(I + draw.in(1, 3));
    ListKind plain;
    plain.mayBeBad = draw.chance(10);
    const std::string ends = draw.of<std::string>({"i32", "i64"});
    ListKind ascending;
    ascending.sorted = true;
    Tensor o = listTensor(ends, offsets, 0, n, ascending);
    if (o.size() && draw.chance(8)) { // descends or leaves the columns
      Index index;
      for (int64_t extent : offsets)
        index.push_back(draw.in(0, extent - 1));
      o.set(index, double(draw.of<int64_t>({-1, n + 1, 0, n})));
    }
    // A column of no key where there are no keys.
    Tensor c = listTensor(element, columns, 0, J - 1, plain);
    const std::string from = addTensor(ends, std::move(o)), to = addTensor(element, std::move(c));
    return fmt::format("csr<%{}{}, %{}{}>", from, brackets(at.indices), to, brackets(at.indices));
  }
  case 4: {
    const std::string type = draw.of<std::string>({"i8", "i32", "i64"});
    const int64_t width = 8 * bytesOf(elementOf(type));
    const Leading at = leading(draw.chance(50) ? 1 : 0);
    Index shape = at.shape;
    shape.push_back((J + width - 1) / width);
    Tensor words(elementOf(type), shape, capturedLayout(shape.size()));
    Random random(draw.seed(), "words");
    uint64_t n = 0;
    const int dense = int(draw.in(0, 2));
    words.each([&](llvm::ArrayRef<int64_t> index) {
      auto four = [&] {
        const std::array<uint32_t, 4> w = random.words(n++);
        return uint64_t(w[0]) << 32 | w[1];
      };
      uint64_t word = four();
      word = dense == 0 ? word & four() & four() : dense == 1 ? word : word | four() | four();
      words.setBits(index, width == 64 ? word : word & ((uint64_t(1) << width) - 1));
    });
    return fmt::format("bits<%{}{}>", addTensor(type, std::move(words)), brackets(at.indices));
  }
  default: {
    std::string probability;
    const int64_t kind = draw.in(0, 2);
    auto number = [&] { return draw.of<double>({0, 0.1, 0.25, 0.5, 0.75, 1}); };
    if (kind == 0) {
      probability = fmt::format("{:.2f}", number());
    } else if (kind == 1) {
      const std::string name = newName("p");
      args += fmt::format(", %{}: f32", name);
      call.params.push_back(floatParam(number()));
      probability = "%" + name;
    } else {
      Tensor t(Element::F32, {draw.in(1, 5)}, capturedLayout(1));
      t.fill([&](auto) { return number(); });
      probability = "%" + addTensor("f32", std::move(t));
    }
    auto side = [&] { return draw.of<int64_t>({1, 3, 6, 7, 12, 16, 24, 32, 64}); };
    const int64_t rows = side(), keys = side();
    return fmt::format("random_blocks<seed = {}, probability = {}, block = [{}, {}]>", seedScalar(), probability, rows,
                       keys);
  }
  }
}

std::string FuzzRegions::seedScalar() {
  if (draw.chance(40))
    return std::to_string(draw.in(0, 1 << 30));
  const std::string name = newName("p"), type = draw.of<std::string>({"index", "i64", "i32"});
  args += fmt::format(", %{}: {}", name, type);
  int64_t seed = draw.in(0, 1 << 30);
  if (draw.chance(40))
    seed = -seed;
  if (type != "i32" && draw.chance(50))
    seed = seed * 8589934609 + 5;
  call.params.push_back(integerParam(seed));
  return "%" + name;
}

std::string FuzzRegions::dropout() {
  std::string p = draw.of<std::string>({"0.0", "0.25", "0.5", "0.9"});
  if (draw.chance(50)) {
    const std::string name = newName("p");
    args += fmt::format(", %{}: f32", name);
    call.params.push_back(floatParam(draw.of<double>({0, 0.125, 0.3, 0.875})));
    p = "%" + name;
  }
  return fmt::format("dropout(seed = {}, probability = {})", seedScalar(), p);
}

/// An i1 in a region: membership in a list of batch and query indices.
std::string FuzzRegions::member(std::string &body, int depth) {
  const int nb = int(batchNames.size());
  const int64_t I = extents[size_t(nb)], J = extents[size_t(nb) + 1], longest = std::max(I, J);
  const std::string element = draw.of<std::string>({"i32", "i64"}), r = "%" + newName("b");
  const std::string value = draw.chance(40) ? "%j" : integer(body, depth);
  Index shape;
  std::string indices;
  for (int d = 0; d <= nb; ++d) {
    if (!draw.chance(35))
      continue;
    std::string index = "%" + dimName(d);
    int64_t extent = extents[size_t(d)];
    if (draw.chance(25)) { // computed, now and then outside
      const std::string computed = "%" + newName("x"), two = constant(body, 2);
      body += fmt::format("      {} = arith.floordivsi {}, {} : index\n", computed, index, two);
      index = computed;
      extent = (extent + 1) / 2;
      if (draw.chance(10))
        extent = std::max<int64_t>(extent - 1, 0);
    }
    indices += (indices.empty() ? "" : ", ") + index;
    shape.push_back(extent);
  }
  const int64_t length = draw.chance(10) ? 0 : draw.in(1, 20);
  shape.push_back(length);
  ListKind kind;
  kind.sorted = draw.chance(30);
  kind.unique = draw.chance(30);
  const std::string list = addTensor(element, listTensor(element, shape, -3, longest + 2, kind));
  std::string range;
  if (draw.chance(40)) {
    auto end = [&](int64_t lo, int64_t hi) {
      if (draw.chance(60))
        return constant(body, draw.in(lo, hi));
      const std::string a = "%" + newName("x"), b = "%" + newName("x"), last = constant(body, length),
                        four = constant(body, draw.in(1, 8));
      body += fmt::format("      {} = arith.floordivsi %i, {} : index\n", a, four);
      if (draw.chance(10))
        return a; // may leave the list
      body += fmt::format("      {} = arith.minsi {}, {} : index\n", b, a, last);
      return b;
    };
    const bool bad = draw.chance(5);
    const std::string from = end(bad ? -1 : 0, length), to = end(0, bad ? length + 1 : length);
    range = fmt::format(" from {} to {}", from, to);
  }
  std::string promise;
  if (kind.sorted || kind.unique)
    promise = fmt::format(" {{{}{}{}}}", kind.sorted ? "sorted" : "", kind.sorted && kind.unique ? ", " : "",
                          kind.unique ? "unique" : "");
  std::string type = "tensor<";
  for (size_t axis = 0; axis < shape.size(); ++axis)
    type += "?x";
  body += fmt::format("      {} = attn.member {} in %{}[{}]{}{} : {}{}>\n", r, value, list, indices, range, promise,
                      type, element);
  return r;
}

/// An f32 in a region.
std::string FuzzRegions::random(std::string &body, int depth) {
  const std::string r = "%" + newName("y");
  std::string indices, seed = seedScalar(), type = "index";
  if (seed[0] == '%') { // the type as declared
    const size_t at = args.find(seed + ": ") + seed.size() + 2, end = args.find(',', at);
    type = args.substr(at, end == std::string::npos ? end : end - at);
  } else {
    seed = constant(body, std::stoll(seed));
  }
  const int64_t count = draw.in(1, 4);
  for (int64_t n = 0; n < count; ++n)
    indices += (n ? ", " : "") + (draw.chance(60) ? "%" + dimName(int(draw.in(0, int64_t(batchNames.size()) + 1)))
                                                  : integer(body, depth));
  body += fmt::format("      {} = attn.random {}[{}] : {} -> f32\n", r, seed, indices, type);
  return r;
}
