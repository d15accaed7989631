// Operands, maps, layouts, lengths: a program from its members.
#include "PairsProgram.h"

#include <algorithm>
#include <fmt/format.h>

using namespace attn;
using namespace attn::test;

namespace {

struct Operand {
  std::string name, element;
  std::vector<std::string> indices;
  Index shape;
  std::string list() const { return fmt::format("%{}[{}]", name, fmt::join(indices, ", ")); }
  std::string type() const {
    std::string t = "tensor<";
    for (size_t n = 0; n < indices.size(); ++n)
      t += indices[n] == "c" || indices[n] == "e" ? std::to_string(shape[n]) + "x" : "?x";
    return t + element + ">";
  }
};

class Composer {
public:
  Composer(const Choice &choice, uint64_t seed) : b(seed), choice(choice), layout(name(kLayout)) {}

  PairsProgram run(uint64_t seed) {
    const PairsNormalizer &normalizer = pairsNormalizers()[at(kNormalizer)];
    const PairsOutput &output = pairsOutputs()[at(kOutput)];
    valueless = output.valueless;
    b.p.exact = normalizer.chooses || output.chooses || b.draw.chance(15);
    extents();
    operands();
    const std::string set = pairsSets()[at(kSet)].add(b);
    if (!set.empty())
      b.clauses += "    set = " + set + "\n";
    pairsScores()[at(kScore)].add(b);
    normalizer.add(b);
    dropout();
    output.add(b, normalizer);
    text();
    b.p.blocks = b.draw.of<Blocks>({{6, 16}, {6, 16}, {6, 16}, {12, 32}, {24, 16}});
    b.p.blocks.split = b.draw.of<int64_t>({0, 0, 1, 2, 7});
    b.p.tokenOrder = b.keyGrid.empty() ? "auto" : b.draw.of<std::string>({"auto", "raster", "boxes"});
    b.p.summary = fmt::format("seed {}: ", seed);
    for (int axis = 0; axis < kPairsAxes; ++axis)
      b.p.summary += (axis ? "; " : "") + name(axis);
    b.p.summary += fmt::format("\nblocks {}x{} split {} order {}{}", b.p.blocks.rows, b.p.blocks.keys, b.p.blocks.split,
                               b.p.tokenOrder, b.p.exact ? " exact inputs" : "");
    for (const attn_scalar &p : b.p.call.params)
      b.p.summary += fmt::format(" param {}|{}", p.i, p.f);
    fillOperands(b.p, seed);
    return std::move(b.p);
  }

private:
  size_t at(int axis) const { return size_t(choice[size_t(axis)]); }
  std::string name(int axis) const { return memberName(axis, choice[size_t(axis)]); }

  void extents() {
    b.element = name(kElement) == "mixed" ? "bf16" : name(kElement);
    b.acc = b.element == "f64" ? "f64" : "f32";
    const std::string features = name(kHeadDims), lengths = name(kLengths);
    std::sscanf(features.c_str(), "%ld, %ld", &b.d, &b.dv);
    std::sscanf(lengths.c_str(), "%ld, %ld", &b.I, &b.J);
    if (layout == "packed" || layout == "k = v")
      b.dv = b.d;
    if (layout == "one batch") {
      b.batch = {"b"};
      b.batchExtents = {2};
    } else if (layout != "no batch") {
      b.batch = {"b", "h"};
      b.batchExtents = {b.draw.in(1, 2), layout == "gqa" ? 3 : 2};
    }
  }

  Operand operand(const std::string &token, int64_t length, const std::string &feature, int64_t width,
                  const std::string &element, bool keys) {
    Operand o;
    o.element = element;
    auto add = [&](const std::string &index, int64_t extent) {
      o.indices.push_back(index);
      o.shape.push_back(extent);
    };
    const bool headFirst = layout != "bshd" && layout != "packed";
    auto head = [&] {
      if (b.batch.size() < 2 || (keys && layout == "mqa"))
        return;
      const int64_t H = b.batchExtents[1];
      if (keys && layout == "gqa")
        add("h floordiv 2", (H + 1) / 2);
      else
        add("h", H);
    };
    if (!b.batch.empty())
      add("b", b.batchExtents[0]);
    if (headFirst)
      head();
    add(token, length);
    if (layout == "packed") {
      b.p.slots = int(o.indices.size());
      add("", 3);
    }
    if (!headFirst)
      head();
    add(feature, width);
    return o;
  }

  MemoryLayout memory(size_t rank) {
    MemoryLayout m;
    if (layout == "bshd" || layout == "strided") {
      for (size_t axis = 0; axis < rank; ++axis) {
        m.order.push_back(int64_t(axis));
        m.pad.push_back(layout == "strided" ? b.draw.in(0, 4) : 0);
      }
      if (b.draw.chance(60))
        std::swap(m.order[0], m.order[rank - 1]);
      if (b.draw.chance(60))
        std::swap(m.order[1], m.order[rank - 2]);
    }
    if (layout == "strided") {
      m.step = b.draw.in(1, 3);
      m.offset = b.draw.in(0, 7);
      if (b.draw.chance(30))
        m.broadcast = {0};
    }
    return m;
  }

  void operands() {
    const bool mixed = name(kElement) == "mixed";
    q = operand("i", b.I, "c", b.d, mixed ? "f32" : b.element, false);
    k = operand("j", b.J, "c", b.d, b.element, true);
    v = operand("j", b.J, "e", b.dv, mixed && layout != "k = v" ? "f16" : b.element, true);
    const bool packed = layout == "packed", tied = layout == "k = v";
    q.name = packed ? "x" : "q";
    k.name = packed ? "x" : "k";
    v.name = packed ? "x" : tied ? "k" : "v";
    if (packed) {
      const size_t slot = size_t(b.p.slots);
      q.indices[slot] = "0";
      k.indices[slot] = "1";
      v.indices[slot] = "2";
    }
    b.p.operands = packed ? "x" : tied || valueless ? "qk" : "qkv";
    for (char c : b.p.operands) {
      const Operand &o = c == 'k' ? k : c == 'v' ? v : q;
      b.args += (b.args.empty() ? "%" : ", %") + o.name + ": " + o.type();
      b.p.call.inputs.emplace_back(elementOf(o.element), o.shape, memory(o.shape.size()));
    }
  }

  void dropout() {
    const std::string kind = name(kDropout);
    if (kind == "dropout")
      b.clauses += "    dropout(seed = 17, probability = 0.25)\n";
    if (kind == "run-time dropout") {
      const std::string seed = b.integerScalar(b.draw.in(0, 1 << 30)), p = b.addScalar("f32", floatParam(0.375));
      b.clauses += "    dropout(seed = " + seed + ", probability = " + p + ")\n";
    }
  }

  void text() {
    std::string results, names;
    for (size_t n = 0; n < b.outNames.size(); ++n) {
      results += fmt::format("{}{}: {}", n ? ", " : "", b.outNames[n], b.outTypes[n]);
      names += fmt::format("{}%r{}", n ? ", " : "", n);
    }
    const std::string types = fmt::format("{}", fmt::join(b.outTypes, ", "));
    std::string &t = b.p.text;
    t = b.normalizers + "attn.kernel @k(" + b.args + ") -> (" + results + ") {\n";
    t += fmt::format("  {} = attn.attend dims({} | i{} | j{} | c{})\n", names, fmt::join(b.batch, ", "), b.queryGrid,
                     b.keyGrid, valueless ? "" : ", e");
    t += "    q = " + q.list() + " k = " + k.list() + (valueless ? "" : " v = " + v.list()) + "\n";
    t += b.clauses + fmt::format("    outputs {} : ({}, {}{}) -> ({})\n", fmt::join(b.outMaps, ", "), q.type(),
                                 k.type(), valueless ? "" : ", " + v.type(), types);
    t += "  attn.return " + names + " : " + types + "\n}\n";
  }

  PairsBuilder b;
  const Choice &choice;
  std::string layout;
  bool valueless = false;
  Operand q, k, v;
};

} // namespace

PairsProgram test::makePairsProgram(const Choice &choice, uint64_t seed) { return Composer(choice, seed).run(seed); }

void test::fillOperands(PairsProgram &p, uint64_t seed) {
  for (size_t n = 0; n < p.operands.size(); ++n) {
    Tensor &t = p.call.inputs[n];
    Random random(seed, 100 + n), rows(seed, 200 + n);
    const int64_t width = t.shape.back();
    // No power of two: straightforward programs would compute with those without any error.
    const double step = 0.25 + 0.05 * Random(seed, 300 + n).uniform(0);
    uint64_t at = 0;
    t.fill([&](llvm::ArrayRef<int64_t> index) -> double {
      char role = p.operands[n];
      if (role == 'x')
        role = "qkv"[index[size_t(p.slots)]];
      const uint64_t number = at++, row = number / uint64_t(width);
      if (!p.exact)
        return random.normal(number);
      if (role != 'q')
        return double(random.integer(number, -6, 6)) * step;
      return rows.integer(row, 0, width - 1) == index.back() ? (double(random.integer(number, 0, 2)) - 1.5) * 8 * step
                                                             : 0;
    });
  }
}
