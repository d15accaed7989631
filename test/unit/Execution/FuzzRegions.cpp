// Random sets and scores.
#include "FuzzProgram.h"

#include <fmt/format.h>

using namespace attn;
using namespace attn::test;

std::string FuzzRegions::dimName(int d) const {
  const int n = int(batchNames.size());
  return d < n ? batchNames[d] : d == n ? "i" : "j";
}

std::string FuzzRegions::scalar(int64_t lo, int64_t hi) {
  int64_t value = draw.in(lo, hi);
  const std::string type = draw.of<std::string>({"index", "i64", "i32"});
  if (draw.chance(4)) // beyond every index
    value = type == "i32" ? draw.of<int64_t>({INT32_MAX, INT32_MIN})
                          : draw.of<int64_t>({1ll << 31, 1ll << 32, 1ll << 40, 1ll << 45, -(1ll << 33), -(1ll << 45)});
  if (draw.chance(50))
    return std::to_string(value);
  const std::string name = newName("p");
  args += fmt::format(", %{}: {}", name, type);
  call.params.push_back(integerParam(value));
  return "%" + name;
}

std::string FuzzRegions::lengthTensor(int64_t extent) {
  const std::string name = newName("n"), type = draw.of<std::string>({"i32", "i64"});
  args += fmt::format(", %{}: tensor<?x{}>", name, type);
  call.inputs.push_back(Tensor::integers(elementOf(type), {extents[0]}, draw.seed(), 0, extent));
  return "%" + name;
}

FuzzRegions::Captured FuzzRegions::capture(const std::vector<int> &dims, const std::string &element, double lo,
                                           double hi) {
  Captured c;
  c.name = newName("t");
  Index shape;
  MemoryLayout layout;
  c.type = "tensor<";
  for (int d : dims) {
    shape.push_back(extents[size_t(d)]);
    layout.pad.push_back(draw.in(0, 2));
    c.type += "?x";
    c.indices += (c.indices.empty() ? "" : ", ") + dimName(d);
  }
  c.type += element + ">";
  layout.offset = draw.in(0, 3);
  layout.step = draw.chance(20) ? 2 : 1;
  if (!shape.empty() && draw.chance(10))
    layout.broadcast = {draw.in(0, int64_t(shape.size()) - 1)};
  args += fmt::format(", %{}: {}", c.name, c.type);
  const Element e = elementOf(element);
  if (isFloat(e)) {
    Tensor t(e, shape, layout);
    Draw values(draw.seed());
    t.fill([&](auto) { return lo + (hi - lo) * double(values.in(0, 1000)) / 1000; });
    call.inputs.push_back(std::move(t));
  } else {
    call.inputs.push_back(Tensor::integers(e, shape, draw.seed(), int64_t(lo), int64_t(hi), layout));
  }
  return c;
}

std::string FuzzRegions::set(int depth) {
  if (!depth || draw.chance(25))
    return leaf();
  switch (draw.in(0, 6)) {
  case 0:
  case 1:
  case 2:
    return "(" + set(depth - 1) + " and " + set(depth - 1) + ")";
  case 3:
  case 4:
    return "(" + set(depth - 1) + " or " + set(depth - 1) + ")";
  case 5:
    return "(" + set(depth - 1) + " minus " + set(depth - 1) + ")";
  default:
    return "not " + set(depth - 1);
  }
}

std::string FuzzRegions::leaf() {
  if (!grids.key.empty() && draw.chance(35))
    return gridLeaf();
  const int64_t kind = draw.in(0, 99);
  return kind < 25 ? listLeaf() : kind < 50 ? formulaLeaf() : oldLeaf();
}

/// The sets by a formula of i, j and lengths that came after causal and window.
std::string FuzzRegions::formulaLeaf() {
  const int nb = int(batchNames.size());
  const int64_t I = extents[size_t(nb)], J = extents[size_t(nb) + 1];
  std::string align = draw.of<std::string>({"top_left", "bottom_right"}), lengths;
  if (align == "bottom_right" && draw.chance(20))
    lengths = ", q = " + lengthTensor(I) + ", k = " + lengthTensor(J);
  switch (draw.in(0, 5)) {
  case 0:
    return fmt::format("dilated<{}, step = {}{}>", align, draw.of<int64_t>({1, 2, 3, 4, 7, 16, 40}), lengths);
  case 1:
    return fmt::format("not_self<{}{}>", align, lengths);
  case 2:
    return fmt::format("block_causal<{}, block = {}{}>", align, draw.of<int64_t>({1, 2, 5, 8, 16, 33, 64}), lengths);
  case 3:
    return "global<" + (draw.chance(30) ? lengthTensor(std::min(I, J)) : scalar(-2, J + 5)) + ">";
  case 4:
    return "sinks<" + (draw.chance(30) ? lengthTensor(J) : scalar(-2, 9)) + ">";
  default: {
    const std::string element = draw.of<std::string>({"i32", "i64"});
    const bool perBatch = draw.chance(60);
    auto dims = [&](int d) { return perBatch ? std::vector<int>{0, d} : std::vector<int>{d}; };
    const int64_t ids = draw.in(1, 4);
    std::string s = "shared_prefix<%" + capture(dims(nb), element, 0, double(ids)).name;
    if (I != J || draw.chance(50)) {
      s.insert(s.find('%'), "q = ");
      s += ", k = %" + capture(dims(nb + 1), element, 0, double(ids)).name;
    }
    if (draw.chance(50))
      s += ", shared = " + scalar(-1, ids);
    if (draw.chance(50))
      s += ", all = " + scalar(-1, ids);
    return s + ">";
  }
  }
}

std::string FuzzRegions::oldLeaf() {
  const int nb = int(batchNames.size());
  const int64_t I = extents[size_t(nb)], J = extents[size_t(nb) + 1], longest = std::max(I, J);
  const std::string align = draw.of<std::string>({"top_left", "bottom_right"});
  std::string lengths;
  if (align == "bottom_right" && draw.chance(20))
    lengths = ", q = " + lengthTensor(I) + ", k = " + lengthTensor(J);
  switch (draw.in(0, 11)) {
  case 0:
    return draw.chance(70) ? "full" : "empty";
  case 1:
  case 2:
    return "causal<" + align + lengths + ">";
  case 3:
  case 4: {
    std::string w = "window<" + align;
    const int sides = int(draw.in(1, 3));
    if (sides & 1)
      w += ", left = " + scalar(-3, longest);
    if (sides & 2)
      w += ", right = " + scalar(-3, longest);
    return w + lengths + ">";
  }
  case 5:
    return "prefix<" + (draw.chance(40) ? lengthTensor(J) : scalar(-2, J + 5)) + ">";
  case 6: {
    const int sides = int(draw.in(1, 3));
    std::string l = "lengths<";
    if (sides & 1)
      l += "q = " + lengthTensor(I);
    if (sides & 2)
      l += std::string(sides == 3 ? ", " : "") + "k = " + lengthTensor(J);
    return l + ">";
  }
  case 7: {
    const std::string element = draw.of<std::string>({"i32", "i64"});
    const bool perBatch = draw.chance(60);
    auto dims = [&](int d) { return perBatch ? std::vector<int>{0, d} : std::vector<int>{d}; };
    const int64_t ids = draw.in(1, 4);
    if (I == J && draw.chance(50))
      return "same_segment<%" + capture(dims(nb), element, 0, double(ids)).name + ">";
    const std::string q = capture(dims(nb), element, 0, double(ids)).name;
    return "same_segment<q = %" + q + ", k = %" + capture(dims(nb + 1), element, 0, double(ids)).name + ">";
  }
  case 8: {
    std::vector<int> dims;
    for (int d = 0; d < nb + 2; ++d)
      if (draw.chance(55))
        dims.push_back(d);
    if (dims.empty())
      dims.push_back(nb + 1);
    if (dims.size() > 1 && draw.chance(30))
      std::swap(dims[0], dims[1]);
    const std::string element = draw.of<std::string>({"i1", "i8", "i32", "f32", "bf16"});
    const Captured c = capture(dims, element, 0, 1);
    if (isFloat(elementOf(element))) // mostly ones and zeros
      call.inputs.back().fill([&](auto) { return double(draw.in(0, 2)); });
    return "mask<%" + c.name + "[" + c.indices + "]>";
  }
  default:
    return where();
  }
}

std::string FuzzRegions::where() {
  std::string names, body;
  for (int d = 0; d < int(batchNames.size()) + 2; ++d)
    names += fmt::format("{}{} = %{}", d ? ", " : "", dimName(d), dimName(d));
  const std::string p = condition(body, int(draw.in(0, 2)));
  return "where(" + names + ") {\n" + body + "      attn.yield " + p + " : i1 }";
}

std::string FuzzRegions::constant(std::string &body, int64_t value) {
  const std::string name = "%" + newName("c");
  body += fmt::format("      {} = arith.constant {} : index\n", name, value);
  return name;
}

std::string FuzzRegions::constantReal(std::string &body, double value) {
  const std::string name = "%" + newName("c");
  body += fmt::format("      {} = arith.constant {:.6e} : {}\n", name, value, acc);
  return name;
}

std::string FuzzRegions::integer(std::string &body, int depth) {
  const int nb = int(batchNames.size());
  if (!depth || draw.chance(20)) {
    const int64_t kind = draw.in(0, 9);
    return kind == 0   ? constant(body, draw.in(-5, 40))
           : kind == 1 ? "%" + dimName(int(draw.in(0, nb + 1)))
           : kind <= 5 ? "%j"
                       : "%i";
  }
  const std::string r = "%" + newName("x");
  const int64_t kind = draw.in(0, 9);
  if (kind == 0)
    return integerLoad(body, depth - 1);
  const std::string a = integer(body, depth - 1);
  std::string op, b;
  if (kind <= 6) {
    op = draw.of<std::string>({"addi", "subi", "subi", "minsi", "maxsi"});
    b = integer(body, depth - 1);
  } else {
    op = draw.of<std::string>({"floordivsi", "remui", "divsi", "remsi", "muli", "divui", "ceildivsi"});
    b = constant(body, op == "muli" ? draw.in(-3, 4) : draw.in(1, 9));
  }
  body += fmt::format("      {} = arith.{} {}, {} : index\n", r, op, a, b);
  return r;
}

/// An axis indexed by a plain dimension has that dimension's extent, and the call is refused otherwise; so i - 1 for i.
std::string FuzzRegions::unplain(std::string &body, const std::string &index) {
  for (int d = 0; d < int(batchNames.size()) + 2; ++d)
    if (index == "%" + dimName(d)) {
      const std::string r = "%" + newName("x"), one = constant(body, 1);
      body += fmt::format("      {} = arith.subi {}, {} : index\n", r, index, one);
      return r;
    }
  return index;
}

std::string FuzzRegions::integerLoad(std::string &body, int depth) {
  const int nb = int(batchNames.size());
  const std::string element = draw.of<std::string>({"i32", "i64", "i8"}), raw = "%" + newName("l"),
                    r = "%" + newName("x");
  std::vector<int> dims = {draw.chance(50) ? nb : nb + 1};
  if (draw.chance(30))
    dims.insert(dims.begin(), 0);
  const Captured c = capture(dims, element, -3, 40);
  std::string indices;
  for (int d : dims) {
    std::string index = "%" + dimName(d);
    if (d >= nb && draw.chance(40)) { // computed, mostly clamped
      index = unplain(body, integer(body, depth));
      if (extents[size_t(d)] > 0 && draw.chance(70)) {
        const std::string lo = "%" + newName("x"), hi = "%" + newName("x"), zero = constant(body, 0),
                          last = constant(body, extents[size_t(d)] - 1);
        body += fmt::format("      {} = arith.maxsi {}, {} : index\n", lo, index, zero);
        body += fmt::format("      {} = arith.minsi {}, {} : index\n", hi, lo, last);
        index = hi;
      }
    }
    indices += (indices.empty() ? "" : ", ") + index;
  }
  body += fmt::format("      {} = attn.load %{}[{}] : {}\n", raw, c.name, indices, c.type);
  body += fmt::format("      {} = arith.index_cast {} : {} to index\n", r, raw, element);
  return r;
}

std::string FuzzRegions::condition(std::string &body, int depth) {
  const std::string r = "%" + newName("b");
  if (draw.chance(12))
    return member(body, depth);
  if (draw.chance(6)) {
    const std::string u = random(body, depth), half = "%" + newName("y");
    body += fmt::format("      {} = arith.constant {:.2f} : f32\n", half, draw.of<double>({0.25, 0.5, 0.75}));
    body += fmt::format("      {} = arith.cmpf olt, {}, {} : f32\n", r, u, half);
    return r;
  }
  if (depth && draw.chance(60)) {
    const std::string a = condition(body, depth - 1), b = condition(body, depth - 1);
    body += fmt::format("      {} = arith.{} {}, {} : i1\n", r, draw.of<std::string>({"andi", "ori", "xori"}), a, b);
    return r;
  }
  const std::string a = integer(body, 2), b = integer(body, 1);
  body += fmt::format("      {} = arith.cmpi {}, {}, {} : index\n", r,
                      draw.of<std::string>({"slt", "sle", "sgt", "sge", "eq", "ne", "ult", "sle", "sge"}), a, b);
  return r;
}

std::string FuzzRegions::bias(std::string &body) {
  const int nb = int(batchNames.size());
  std::vector<int> dims;
  for (int d = 0; d < nb + 2; ++d)
    if (draw.chance(50))
      dims.push_back(d);
  if (dims.empty())
    dims.push_back(nb + 1);
  const std::string element = acc == "f64" ? "f64" : draw.of<std::string>({"f32", "bf16", "f16"});
  const Captured c = capture(dims, element, -2, 2);
  std::string indices, x = "%" + newName("y");
  for (int d : dims) {
    std::string index = "%" + dimName(d);
    if (draw.chance(8) && d >= nb)
      index = unplain(body, integer(body, 1)); // may be a bad index
    indices += (indices.empty() ? "" : ", ") + index;
  }
  body += fmt::format("      {} = attn.load %{}[{}] : {}\n", x, c.name, indices, c.type);
  if (element == acc)
    return x;
  const std::string r = "%" + newName("y");
  body += fmt::format("      {} = arith.extf {} : {} to {}\n", r, x, element, acc);
  return r;
}

std::string FuzzRegions::real(std::string &body, const std::string &s, int depth) {
  if (!depth)
    return draw.chance(60) ? s : bias(body);
  const std::string r = "%" + newName("y"), a = real(body, s, depth - 1);
  auto emit = [&](const std::string &text) {
    body += fmt::format("      {} = {} : {}\n", r, text, acc);
    return r;
  };
  switch (draw.in(0, 10)) {
  case 10: {
    std::string u = random(body, 1);
    if (acc == "f64") {
      const std::string wide = "%" + newName("y");
      body += fmt::format("      {} = arith.extf {} : f32 to f64\n", wide, u);
      u = wide;
    }
    return emit("arith.addf " + a + ", " + u);
  }
  case 0:
    return emit("arith.addf " + a + ", " + bias(body));
  case 1:
    return emit("arith.mulf " + a + ", " + constantReal(body, double(draw.in(-20, 20)) / 10));
  case 2:
    return emit("math." + draw.of<std::string>({"tanh", "absf"}) + " " + a);
  case 3:
    return emit("arith." + draw.of<std::string>({"addf", "subf"}) + " " + a + ", " + real(body, s, depth - 1));
  case 4: {
    const std::string n = "%" + newName("x"), w = "%" + newName("x"), f = "%" + newName("y"), d = integer(body, 1);
    body += fmt::format("      {} = arith.index_cast {} : index to i64\n", w, d);
    body += fmt::format("      {} = arith.sitofp {} : i64 to {}\n", f, w, acc);
    body +=
        fmt::format("      {} = arith.mulf {}, {} : {}\n", n, f, constantReal(body, double(draw.in(-9, 9)) / 100), acc);
    return emit("arith.addf " + a + ", " + n);
  }
  case 5: {
    const std::string p = condition(body, 0), b = real(body, s, depth - 1);
    body += fmt::format("      {} = arith.select {}, {}, {} : {}\n", r, p, a, b, acc);
    return r;
  }
  case 6:
    return emit("arith." + draw.of<std::string>({"maximumf", "minimumf"}) + " " + a + ", " +
                constantReal(body, double(draw.in(-10, 10)) / 10));
  case 7: {
    const std::string t = "%" + newName("y");
    body += fmt::format("      {} = math.tanh {} : {}\n", t, a, acc);
    return emit("math." + draw.of<std::string>({"exp", "exp2", "sin", "cos", "erf"}) + " " + t);
  }
  case 8: {
    const std::string t = "%" + newName("y"), u = "%" + newName("y"), one = constantReal(body, 1);
    body += fmt::format("      {} = math.absf {} : {}\n", t, a, acc);
    body += fmt::format("      {} = arith.addf {}, {} : {}\n", u, t, one, acc);
    return emit("math." + draw.of<std::string>({"log", "sqrt", "log2", "rsqrt"}) + " " + u);
  }
  default:
    return emit("arith.divf " + a + ", " + constantReal(body, double(draw.in(5, 40)) / 10));
  }
}

std::string FuzzRegions::score() {
  std::string names = acc == "f64" ? "%s : f64" : "%s", body;
  for (int d = 0; d < int(batchNames.size()) + 2; ++d)
    names += fmt::format(", {} = %{}", dimName(d), dimName(d));
  const std::string r = real(body, "%s", int(draw.in(1, 3)));
  return "score(" + names + ") {\n" + body + "      attn.yield " + r + " : " + acc + " }";
}
