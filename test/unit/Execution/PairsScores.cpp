// Every kind of score, and what regions are built from.
#include "PairsProgram.h"

#include <fmt/format.h>

using namespace attn;
using namespace attn::test;

namespace {

using B = PairsBuilder;

void score(B &b, const std::string &body, const std::string &result) {
  b.clauses += "    score(" + b.scoreArg() + ", " + b.indices("ij") + ") {\n" + body + "      attn.yield " + result +
               " : " + b.acc + " }\n";
}

void softcap(B &b) {
  std::string body;
  const std::string cap = b.draw.chance(50) ? b.constant(body, 2.0) : b.realScalar(1.5);
  const std::string x = b.op(body, "arith.divf %s, " + cap), t = b.op(body, "math.tanh " + x);
  score(b, body, b.op(body, "arith.mulf " + t + ", " + cap));
}

void alibi(B &b) {
  std::string body;
  const B::Captured slopes =
      b.capture("h", b.acc, [](llvm::ArrayRef<int64_t> at) { return std::ldexp(1, -2 - int(at[0])); });
  const std::string m = b.load(body, slopes), n = b.op(body, "arith.subi %j, %i", "index"), x = b.toReal(body, n),
                    y = b.op(body, "arith.mulf " + m + ", " + x);
  score(b, body, b.op(body, "arith.addf %s, " + y));
}

void bias(B &b) {
  std::string body;
  const B::Captured c = b.captureReal(b.draw.of<std::string>({"bhij", "hij", "hj", "bi", "ij"}), -2, 2);
  const std::string x = b.load(body, c);
  score(b, body, b.op(body, "arith.addf %s, " + x));
}

void table(B &b) {
  std::string body;
  Tensor t(Element::F32, {17}, b.capturedLayout(1));
  t.fill([&](auto) { return double(b.draw.in(-8, 8)) / 8; });
  const std::string name = b.addTensor("tensor<17xf32>", std::move(t));
  const std::string n = b.op(body, "arith.subi %i, %j", "index"), lo = b.indexConstant(body, -8),
                    hi = b.indexConstant(body, 8), p = b.op(body, "arith.maxsi " + n + ", " + lo, "index"),
                    q = b.op(body, "arith.minsi " + p + ", " + hi, "index"),
                    r = b.op(body, "arith.addi " + q + ", " + hi, "index");
  B::Captured c{name, "tensor<17xf32>", "f32", "", r};
  const std::string x = b.load(body, c);
  score(b, body, b.op(body, "arith.addf %s, " + x));
}

/// s + c_i - c_j
void decay(B &b) {
  std::string body;
  double c = 0, k = 0;
  const B::Captured q = b.capture("hi", b.acc,
                                  [&](llvm::ArrayRef<int64_t> at) {
                                    return c = at.back() ? c - double(b.draw.in(0, 4)) / 16 : 0;
                                  }),
                    t = b.capture("hj", b.acc, [&](llvm::ArrayRef<int64_t> at) {
                      return k = at.back() ? k - double(b.draw.in(0, 4)) / 16 : 0;
                    });
  const std::string x = b.load(body, q), y = b.load(body, t), z = b.op(body, "arith.subf " + x + ", " + y);
  score(b, body, b.op(body, "arith.addf %s, " + z));
}

void noise(B &b) {
  std::string body;
  const std::string u = b.noise(body, "ij", 0.318309);
  score(b, body, b.op(body, "arith.addf %s, " + u));
}

/// -inf where a captured tensor says so: present in the set, absent for the normalizer.
void infinite(B &b) {
  std::string body;
  const B::Captured c = b.capture("hj", b.acc, [&](auto) { return b.draw.chance(25) ? -kInf : 0.25; });
  const std::string x = b.load(body, c);
  score(b, body, b.op(body, "arith.addf %s, " + x));
}

} // namespace

PairsBuilder::Captured PairsBuilder::capture(const std::string &dims, const std::string &element, const Value &value) {
  Captured c;
  c.element = element;
  c.type = "tensor<";
  Index shape;
  auto add = [&](const std::string &name, int64_t extent, bool isStatic = false) {
    c.list += (c.list.empty() ? "" : ", ") + name;
    c.loads += (c.loads.empty() ? "%" : ", %") + name;
    c.type += isStatic ? std::to_string(extent) + "x" : "?x";
    shape.push_back(extent);
  };
  for (char dim : dims) {
    const std::string name(1, dim);
    if (dim == 'i') {
      add(name, I);
    } else if (dim == 'j') {
      add(name, J);
    } else if (dim == 'e') {
      add(name, dv, draw.chance(50));
    } else {
      for (size_t n = 0; n < batch.size(); ++n)
        if (batch[n] == name)
          add(name, batchExtents[n]);
    }
  }
  if (shape.empty()) { // one element
    c.list = "0";
    c.type += "?x";
    shape.push_back(1);
  }
  c.type += element + ">";
  Tensor t(elementOf(element), shape, capturedLayout(shape.size()));
  t.fill(value);
  c.name = addTensor(c.type, std::move(t));
  return c;
}

PairsBuilder::Captured PairsBuilder::captureReal(const std::string &dims, double lo, double hi) {
  const std::string e = acc == "f64" ? "f64" : draw.of<std::string>({"f32", "f32", "bf16", "f16"});
  return capture(dims, e, [&](auto) { // exact in all types
    return p.exact ? lo + (hi - lo) * double(draw.in(0, 4)) / 4 : lo + (hi - lo) * double(draw.in(0, 100)) / 100;
  });
}

PairsBuilder::Captured PairsBuilder::captureInteger(const std::string &dims, int64_t lo, int64_t hi) {
  return capture(dims, draw.of<std::string>({"i32", "i64"}), [&](auto) { return double(draw.in(lo, hi)); });
}

std::string PairsBuilder::addTensor(const std::string &type, Tensor tensor) {
  const std::string name = newName("t");
  args += ", " + name + ": " + type;
  p.call.inputs.push_back(std::move(tensor));
  return name;
}

std::string PairsBuilder::addScalar(const std::string &type, attn_scalar value) {
  const std::string name = newName("p");
  args += ", " + name + ": " + type;
  p.call.params.push_back(value);
  return name;
}

std::string PairsBuilder::integerScalar(int64_t value) {
  return addScalar(draw.of<std::string>({"index", "i64", "i32"}), integerParam(value));
}

MemoryLayout PairsBuilder::capturedLayout(size_t rank) {
  MemoryLayout layout;
  for (size_t axis = 0; axis < rank; ++axis)
    layout.pad.push_back(draw.in(0, 2));
  layout.offset = draw.in(0, 3);
  layout.step = draw.chance(20) ? 2 : 1;
  return layout;
}

std::string PairsBuilder::load(std::string &body, const Captured &c) {
  const std::string at = c.loads.empty() ? indexConstant(body, 0) : c.loads,
                    x = op(body, fmt::format("attn.load {}[{}]", c.name, at), c.type);
  return c.element == acc ? x : op(body, "arith.extf " + x, c.element + " to " + acc);
}

std::string PairsBuilder::op(std::string &body, const std::string &text, const std::string &type) {
  const std::string name = newName("x");
  body += fmt::format("      {} = {} : {}\n", name, text, type);
  return name;
}

std::string PairsBuilder::constant(std::string &body, double value) {
  return op(body, fmt::format("arith.constant {:.6e}", value), acc);
}

std::string PairsBuilder::indexConstant(std::string &body, int64_t value) {
  return op(body, fmt::format("arith.constant {}", value), "index");
}

std::string PairsBuilder::toReal(std::string &body, const std::string &index) {
  const std::string wide = op(body, "arith.index_cast " + index, "index to i64");
  return op(body, "arith.sitofp " + wide, "i64 to " + acc);
}

std::string PairsBuilder::indices(const std::string &tokens) const {
  std::string all;
  auto add = [&](const std::string &name) { all += fmt::format("{}{} = %{}", all.empty() ? "" : ", ", name, name); };
  for (const std::string &name : batch)
    add(name);
  for (char token : tokens)
    add(std::string(1, token));
  return all;
}

std::string PairsBuilder::noise(std::string &body, const std::string &tokens, double some) {
  std::string list;
  for (const std::string &name : batch)
    list += "%" + name + ", ";
  for (size_t n = 0; n < tokens.size(); ++n)
    list += std::string(n ? ", %" : "%") + tokens[n];
  const std::string seed = addScalar("i64", integerParam(int64_t(draw.seed())));
  std::string u = op(body, fmt::format("attn.random {}[{}]", seed, list), "i64 -> f32");
  if (acc == "f64")
    u = op(body, "arith.extf " + u, "f32 to f64");
  if (!p.exact)
    return u;
  const std::string half = constant(body, 0.5), other = constant(body, some), zero = constant(body, 0),
                    high = op(body, "arith.cmpf oge, " + u + ", " + half);
  return op(body, fmt::format("arith.select {}, {}, {}", high, other, zero));
}

const std::vector<PairsMember> &test::pairsScores() {
  static const std::vector<PairsMember> scores = {
      {"no score", [](B &) {}},
      {"constant scale",
       [](B &b) {
         b.clauses += "    scale = " + b.draw.of<std::string>({"0.53", b.p.exact ? "1.3" : "1.0", "-0.77"}) + "\n";
       }},
      {"run-time scale",
       [](B &b) {
         b.clauses += "    scale = " + b.realScalar(b.draw.of<double>({0.27, b.p.exact ? 0.91 : 1, -0.57, 0})) + "\n";
       }},
      {"softcap", softcap},
      {"alibi", alibi},
      {"bias", bias},
      {"relative table", table},
      {"decay", decay},
      {"noise", noise},
      {"infinite", infinite},
      {"softcap and bias",
       [](B &b) {
         std::string body;
         const B::Captured c = b.captureReal("hj", -1, 1);
         const std::string t = b.op(body, "math.tanh %s"), x = b.load(body, c);
         score(b, body, b.op(body, "arith.addf " + t + ", " + x));
         b.clauses += "    scale = 0.25\n";
       }},
  };
  return scores;
}
