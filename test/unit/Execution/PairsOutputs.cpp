// Every kind of output.
#include "PairsProgram.h"

#include <fmt/format.h>

using namespace attn;
using namespace attn::test;

namespace {

using B = PairsBuilder;
using N = PairsNormalizer;

Index shapeOf(B &b, const std::string &tokens) {
  Index shape = b.batchExtents;
  for (char t : tokens)
    shape.push_back(t == 'i' ? b.I : t == 'j' ? b.J : t == 'e' ? b.dv : b.d);
  return shape;
}

MemoryLayout layoutOf(B &b, size_t rank) {
  MemoryLayout layout;
  if (b.draw.chance(60))
    return layout;
  for (size_t axis = 0; axis < rank; ++axis) {
    layout.order.push_back(int64_t(axis));
    layout.pad.push_back(b.draw.in(0, 2));
  }
  if (rank > 1 && b.draw.chance(50))
    std::swap(layout.order[0], layout.order[rank - 1]);
  layout.offset = b.draw.in(0, 3);
  return layout;
}

/// An output over the batch dimensions and `tokens`.
void output(B &b, const std::string &name, const std::string &tokens, const std::string &element) {
  std::vector<std::string> map = b.batch;
  const Index shape = shapeOf(b, tokens);
  std::string type = "tensor<";
  for (size_t n = 0; n < shape.size(); ++n)
    type += n < b.batch.size() ? "?x" : "";
  for (size_t n = 0; n < tokens.size(); ++n) {
    map.push_back(std::string(1, tokens[n]));
    type += tokens[n] == 'e' || tokens[n] == 'c' ? std::to_string(shape[b.batch.size() + n]) + "x" : "?x";
  }
  b.outNames.push_back(name);
  b.outMaps.push_back(fmt::format("{}[{}]", name, fmt::join(map, ", ")));
  b.outTypes.push_back(type + element + ">");
  b.p.call.outputs.emplace_back(elementOf(element), shape, layoutOf(b, shape.size()));
}

void o(B &b) { output(b, "o", "ie", b.element); }
void row(B &b, const std::string &name) { output(b, name, "i", b.acc); }
void id(B &b, const std::string &name) { output(b, name, "i", b.draw.of<std::string>({"i32", "i64"})); }

/// A reduction of the score, with the indices where `result` needs them.
void reduce(B &b, const std::string &name, const std::string &kind, const std::string &body,
            const std::string &result) {
  b.clauses += fmt::format("    reduce {} = {}({}, {}) {{\n{}      attn.yield {} : {} }}\n", name, kind, b.scoreArg(),
                           b.indices("ij"), body, result, b.acc);
}

/// A number of the pair: its distance, or a captured one.
std::string number(B &b, std::string &body) {
  if (b.draw.chance(50)) {
    const B::Captured c = b.captureReal(b.draw.of<std::string>({"hij", "bj", "j"}), -1, 1);
    return b.load(body, c);
  }
  const std::string n = b.op(body, "arith.subi %i, %j", "index"), x = b.toReal(body, n), a = b.constant(body, 0.125);
  return b.op(body, "arith.mulf " + x + ", " + a);
}

void weighted(B &b) {
  reduce(b, "mean", "weighted", "", "%s");
  std::string body;
  const std::string x = number(b, body);
  reduce(b, "far", "weighted", body, x);
  row(b, "mean");
  row(b, "far");
}

void extremes(B &b) {
  std::string body;
  const std::string x = number(b, body), y = b.op(body, "arith.addf %s, " + x);
  reduce(b, "total", "sum", body, y);
  b.clauses += "    reduce top = max\n    reduce low = min\n";
  row(b, "total");
  row(b, "top");
  row(b, "low");
}

/// The largest of a number; drawn by the Gumbel trick where inputs need not be exact in it.
void drawn(B &b) {
  std::string body;
  const std::string u = b.noise(body, "ij", 0.141593);
  reduce(b, "id", "argmax", body, b.op(body, "arith.addf %s, " + u));
  id(b, "id");
}

void epilogue(B &b, const std::string &arguments, const std::string &outputs, const std::string &body,
              const std::string &results, size_t count) {
  std::vector<std::string> types(count, b.acc);
  b.clauses += "    epilogue(" + arguments + ") -> (" + outputs + ") {\n" + body + "      attn.yield " + results +
               " : " + fmt::format("{}", fmt::join(types, ", ")) + " }\n";
}

std::string sigmoid(B &b, std::string &body, const std::string &x) {
  const std::string m = b.op(body, "arith.negf " + x), e = b.op(body, "math.exp " + m), one = b.constant(body, 1),
                    d = b.op(body, "arith.addf " + one + ", " + e);
  return b.op(body, "arith.divf " + one + ", " + d);
}

void gateOfRow(B &b, const N &) {
  std::string body;
  const B::Captured gate = b.captureReal("bhi", -2, 2);
  const std::string x = b.load(body, gate), y = sigmoid(b, body, x);
  epilogue(b, "o = " + b.realArg("%o") + ", " + b.indices("i"), "o", body, b.op(body, "arith.mulf %o, " + y), 1);
  o(b);
}

/// A gate and a residual of every feature, the position in it too.
void gateOfFeature(B &b, const N &) {
  std::string body;
  const B::Captured gate = b.captureReal("he", -1, 1), rest = b.captureReal("bie", -1, 1);
  const std::string x = b.load(body, gate), y = b.load(body, rest), z = b.op(body, "arith.mulf %o, " + x),
                    n = b.toReal(body, "%e"), small = b.constant(body, 0.0625),
                    m = b.op(body, "arith.mulf " + n + ", " + small), w = b.op(body, "arith.addf " + z + ", " + y);
  epilogue(b, "o = " + b.realArg("%o") + ", " + b.indices("ie"), "gated", body,
           b.op(body, "arith.addf " + w + ", " + m), 1);
  output(b, "gated", "ie", b.element);
}

/// sqrt(1 + d^2), d another output of the finish less a weighted mean, as in an entropy: d itself may be exactly 0, and
/// no error rule has room for what is lost there. o stays what it is.
void entropy(B &b, const N &n, bool withO) {
  reduce(b, "mean", "weighted", "", "%s");
  std::string body;
  const std::string d = b.op(body, "arith.subf %l, %m"), one = b.constant(body, 1),
                    x = b.op(body, "arith.mulf " + d + ", " + d), y = b.op(body, "arith.addf " + x + ", " + one);
  epilogue(b, n.other + " = " + b.realArg("%l") + ", mean = " + b.realArg("%m"), "entropy", body,
           b.op(body, "math.sqrt " + y), 1);
  if (withO)
    o(b);
  row(b, "entropy");
}

/// A reduction that is no output goes into an epilogue of two results, one of which goes to o.
void centered(B &b, const N &) {
  b.clauses += "    reduce top = max\n    reduce low = min\n";
  std::string body;
  const std::string x = b.op(body, "arith.subf %t, %w"), half = b.constant(body, 0.5),
                    y = b.op(body, "arith.mulf " + x + ", " + half), t = b.op(body, "math.tanh " + y),
                    z = b.op(body, "arith.mulf %o, " + t);
  epilogue(b, "top = " + b.realArg("%t") + ", low = " + b.realArg("%w") + ", o = " + b.realArg("%o"), "o, range", body,
           z + ", " + x, 2);
  row(b, "range");
  o(b);
}

void weights(B &b) { output(b, "p", "ij", b.draw.chance(50) ? b.acc : b.element); }

void mass(B &b) {
  std::string body;
  const std::string x = b.op(body, "arith.mulf %w, %s"), y = number(b, body), z = b.op(body, "arith.mulf %w, " + y),
                    sum = b.op(body, "arith.addf " + x + ", " + z);
  b.clauses += fmt::format("    columns mass = sum({}, {}, {}) {{\n{}      attn.yield {} : {} }}\n", b.realArg("%w"),
                           b.scoreArg(), b.indices("ij"), body, sum, b.acc);
  output(b, "mass", "j", b.acc);
}

void aggregate(B &b) {
  const std::string type = [&] {
    std::string t = "tensor<";
    for (size_t n = 0; n < b.batch.size(); ++n)
      t += "?x";
    return t + "?x" + std::to_string(b.dv) + "x" + b.acc + ">";
  }();
  const Index shape = shapeOf(b, "ie");
  Tensor u(elementOf(b.acc), shape, layoutOf(b, shape.size()));
  u.fill([&](auto) { return double(b.draw.in(-16, 16)) / 16; });
  std::vector<std::string> map = b.batch;
  map.insert(map.end(), {"i", "e"});
  b.clauses += fmt::format("    aggregate moved = {}[{}]\n", b.addTensor(type, std::move(u)), fmt::join(map, ", "));
  output(b, "moved", "je", b.acc);
}

} // namespace

const std::vector<PairsOutput> &test::pairsOutputs() {
  static const std::vector<PairsOutput> outputs = {
      {"o", [](B &b, const N &) { o(b); }},
      {"o and another",
       [](B &b, const N &n) {
         o(b);
         row(b, n.other);
       },
       true},
      {"another", [](B &b, const N &n) { row(b, n.other); }, true},
      {"another, no values", [](B &b, const N &n) { row(b, n.other); }, true, false, false, true},
      {"weighted",
       [](B &b, const N &) {
         weighted(b);
         o(b);
       },
       false, true},
      {"weighted, no values", [](B &b, const N &) { weighted(b); }, false, true, false, true},
      {"extremes",
       [](B &b, const N &) {
         o(b);
         extremes(b);
       }},
      {"extremes, no values", [](B &b, const N &) { extremes(b); }, false, false, false, true},
      {"argmax",
       [](B &b, const N &) {
         b.clauses += "    reduce id = argmax\n";
         o(b);
         id(b, "id");
       },
       false, false, true},
      {"drawn, no values", [](B &b, const N &) { drawn(b); }, false, false, true, true},
      {"gate of a row", gateOfRow},
      {"gate of a feature", gateOfFeature},
      {"entropy", [](B &b, const N &n) { entropy(b, n, true); }, true, true},
      {"entropy, no values", [](B &b, const N &n) { entropy(b, n, false); }, true, true, false, true},
      {"centered", centered},
      {"all",
       [](B &b, const N &n) {
         extremes(b);
         drawn(b);
         entropy(b, n, true);
         row(b, n.other);
       },
       true, true, true},
      {"p, no values", [](B &b, const N &) { weights(b); }, false, true, false, true},
      {"o and p",
       [](B &b, const N &) {
         o(b);
         weights(b);
       },
       false, true},
      {"columns, no values", [](B &b, const N &) { mass(b); }, false, true, false, true},
      {"o and columns",
       [](B &b, const N &) {
         o(b);
         mass(b);
       },
       false, true},
      {"aggregate",
       [](B &b, const N &) {
         aggregate(b);
         o(b);
       },
       false, true},
  };
  return outputs;
}
