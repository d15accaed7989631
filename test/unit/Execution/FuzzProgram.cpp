// Random operands, maps, layouts and lengths.
#include "FuzzProgram.h"

#include <algorithm>
#include <fmt/format.h>

using namespace attn;
using namespace attn::test;

namespace {

struct Operand {
  std::vector<std::string> indices;
  Index shape;
  std::string element;
  std::string type() const {
    std::string t = "tensor<";
    for (size_t n = 0; n < indices.size(); ++n)
      t += (indices[n] == "c" || indices[n] == "e" ? std::to_string(shape[n]) : "?") + "x";
    return t + element + ">";
  }
};

MemoryLayout randomLayout(Draw &draw, size_t rank, bool output) {
  MemoryLayout layout;
  if (draw.chance(50))
    return layout;
  for (size_t axis = 0; axis < rank; ++axis)
    layout.order.push_back(int64_t(axis));
  for (size_t axis = rank; axis-- > 1;)
    if (draw.chance(40))
      std::swap(layout.order[axis], layout.order[size_t(draw.in(0, int64_t(axis)))]);
  for (size_t axis = 0; axis < rank; ++axis)
    layout.pad.push_back(draw.chance(40) ? draw.in(0, 5) : 0);
  if (!output && draw.chance(15))
    layout.broadcast = {draw.in(0, int64_t(rank) - 1)};
  layout.step = draw.chance(20) ? draw.in(1, 3) : 1;
  layout.offset = draw.in(0, 7);
  return layout;
}

} // namespace

FuzzProgram test::makeFuzzProgram(uint64_t seed) {
  FuzzProgram f;
  Draw draw(seed);
  const int kind = int(draw.in(0, 6)); // of map
  const bool packed = kind == 4, shared = kind == 5, oneBatch = kind == 6;
  const int64_t share = kind == 3 ? draw.of<int64_t>({2, 3, 4, 8}) : 1;
  const int64_t B = draw.chance(3) ? 0 : draw.in(1, 2), H = draw.chance(3) ? 0 : draw.in(1, kind == 3 ? 6 : 3);
  const std::vector<int64_t> lengths = {0,  1,  2,  5,  6,  7,  13, 15,  16,  17, 24,
                                        31, 32, 33, 47, 48, 49, 70, 100, 129, 150};
  const int64_t I = draw.of(lengths), J = packed || draw.chance(40) ? I : draw.of(lengths);
  const int64_t d = draw.chance(50)   ? draw.of<int64_t>({8, 63, 64})
                    : draw.chance(70) ? draw.in(1, 20)
                                      : draw.in(21, 80);
  const int64_t dv = packed || shared || draw.chance(50) ? d : draw.in(1, 40);
  const std::string element = draw.of<std::string>({"f32", "f32", "f32", "bf16", "f16", "f64"});
  const std::string acc = element == "f64" ? "f64" : "f32";
  auto narrow = [&] {
    return acc == "f64" || draw.chance(80) ? element : draw.of<std::string>({"f32", "bf16", "f16"});
  };
  const std::string kElement = narrow(), vElement = packed || shared ? kElement : narrow(),
                    qElement = packed ? kElement : element, oElement = narrow();

  const bool sequenceMajor = kind == 1 || draw.chance(25);
  std::vector<std::string> batch = oneBatch ? std::vector<std::string>{"b"} : std::vector<std::string>{"b", "h"};
  auto operand = [&](const std::string &token, int64_t length, const std::string &feature, int64_t width,
                     const std::string &type, bool keys, int slot) {
    Operand o;
    o.element = type;
    o.indices = {"b"};
    o.shape = {B};
    std::string head = keys && share > 1 ? fmt::format("h floordiv {}", share) : "h";
    const bool headless = oneBatch || (keys && kind == 2);
    auto add = [&](const std::string &index, int64_t extent) {
      o.indices.push_back(index);
      o.shape.push_back(extent);
    };
    if (!headless && !sequenceMajor && !packed)
      add(head, (H + (keys ? share : 1) - 1) / (keys ? share : 1));
    add(token, length);
    if (packed && slot >= 0)
      add(std::to_string(slot), 3);
    if (!headless && (sequenceMajor || packed))
      add(head, (H + (keys ? share : 1) - 1) / (keys ? share : 1));
    add(feature, width);
    return o;
  };
  const Operand q = operand("i", I, "c", d, qElement, false, 0), k = operand("j", J, "c", d, kElement, true, 1),
                v = operand("j", J, "e", dv, vElement, true, 2);
  const Operand o = operand("i", I, "e", dv, oElement, false, -1);

  std::string args;
  auto tensor = [&](const char *name, const Operand &t, double scale) {
    args += fmt::format("{}%{}: {}", args.empty() ? "" : ", ", name, t.type());
    f.call.inputs.push_back(
        Tensor::normal(elementOf(t.element), t.shape, draw.seed(), scale, randomLayout(draw, t.shape.size(), false)));
  };
  const double spread = draw.of<double>({1, 1, 1, 4, 0.1});
  std::string kName = "k", vName = "v", qName = "q";
  tensor("q", q, spread);
  if (packed)
    kName = vName = "q";
  else
    tensor("k", k, 1);
  if (shared)
    vName = "k";
  else if (!packed)
    tensor("v", v, 1);

  f.operands = f.call.inputs.size();
  f.queryScale = spread;
  Index extents = {B};
  if (!oneBatch)
    extents.push_back(H);
  extents.push_back(I);
  extents.push_back(J);
  const FuzzGrids grids = draw.chance(40) ? makeGrids(draw, f.call, args, I, J) : FuzzGrids();
  FuzzRegions regions(draw, f.call, args, batch, extents, acc, grids);
  std::string clauses = grids.firstClause.empty() ? "" : "    " + grids.firstClause + "\n";
  if (draw.chance(15))
    clauses += "    " + regions.dropout() + "\n";
  if (draw.chance(90))
    clauses += "    set = " + regions.set(int(draw.in(0, 3))) + "\n";
  if (draw.chance(50))
    clauses += "    " + regions.score() + "\n";
  if (draw.chance(25)) {
    if (draw.chance(50)) {
      clauses += fmt::format("    scale = {:.3f}\n", double(draw.in(-10, 10)) / 10);
    } else {
      args += ", %scale: " + acc;
      f.call.params.push_back(floatParam(double(draw.in(-8, 8)) / 8));
      clauses += "    scale = %scale\n";
    }
  }
  const bool lse = draw.chance(80);
  Operand l = o;
  l.element = acc;
  l.indices.pop_back();
  l.shape.pop_back();
  auto list = [](const Operand &t) { return fmt::format("[{}]", fmt::join(t.indices, ", ")); };
  const std::string results = lse ? fmt::format("({}, {})", o.type(), l.type()) : o.type();
  f.text = fmt::format("attn.kernel @k({}) -> (o: {}{}) {{\n", args, o.type(), lse ? ", lse: " + l.type() : "");
  f.text += fmt::format("  %o{} = attn.attend dims({} | i{} | j{} | c, e)\n", lse ? ", %l" : "", fmt::join(batch, ", "),
                        gridText(grids.query), gridText(grids.key));
  f.text += fmt::format("    q = %{}{} k = %{}{} v = %{}{}\n", qName, list(q), kName, list(k), vName, list(v));
  f.text += clauses;
  f.text += fmt::format("    outputs o{}{} : ({}, {}, {}) -> {}\n", list(o), lse ? ", lse" + list(l) : "", q.type(),
                        packed ? q.type() : k.type(),
                        packed   ? q.type()
                        : shared ? k.type()
                                 : v.type(),
                        results);
  f.text += fmt::format("  attn.return %o{} : {}{}\n}}\n", lse ? ", %l" : "", o.type(), lse ? ", " + l.type() : "");

  auto output = [&](const Operand &t) {
    f.call.outputs.emplace_back(elementOf(t.element), t.shape, randomLayout(draw, t.shape.size(), true));
  };
  output(o);
  if (lse)
    output(l);
  f.blocks = draw.of<Blocks>({{6, 16}, {6, 16}, {12, 32}, {6, 48}, {18, 64}, {24, 16}, {0, 0}});
  f.call.workers = int(draw.in(1, 3));
  f.tokenOrder = grids.key.empty() ? "auto" : draw.of<std::string>({"auto", "raster", "boxes"});
  auto tokenAxis = [](const Operand &t) {
    return int(std::find(t.indices.begin(), t.indices.end(), "j") - t.indices.begin());
  };
  if (!packed) {
    f.keyAxis = tokenAxis(k);
    f.valueAxis = shared ? -1 : tokenAxis(v);
  }
  f.summary = fmt::format("seed {}: B {} H {} I {} J {} blocks {}x{} order {} workers {}", seed, B, H, I, J,
                          f.blocks.rows, f.blocks.keys, f.tokenOrder, f.call.workers);
  for (const attn_scalar &p : f.call.params)
    f.summary += fmt::format(" param {}|{}", p.i, p.f);
  return f;
}
