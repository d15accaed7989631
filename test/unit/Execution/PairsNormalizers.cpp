// Every normalizer of the library with every kind of argument, and some that a user might write.
#include "PairsProgram.h"

#include <fmt/format.h>

using namespace attn;
using namespace attn::test;

namespace {

using B = PairsBuilder;

/// An argument: a constant, a scalar or a tensor of one element a row.
std::string argument(B &b, const std::string &kind, double lo, double hi) {
  if (kind == "constant" || kind == "scalar") {
    const double value = lo + (hi - lo) * double(b.draw.in(0, 8)) / 8;
    return kind == "constant" ? fmt::format("{:.6e}", value) : b.realScalar(value);
  }
  const B::Captured c = b.captureReal(kind, lo, hi);
  return c.name + "[" + c.list + "]";
}

void use(B &b, const std::string &name, const std::vector<std::string> &arguments = {}) {
  b.clauses += "    normalize = @" + name;
  if (!arguments.empty())
    b.clauses += fmt::format("({})", fmt::join(arguments, ", "));
  b.clauses += "\n";
}

PairsNormalizer plain(const std::string &name, const std::string &other = "") {
  return {"@" + name, [=](B &b) { use(b, name); }, other};
}

/// With one argument of some kind.
PairsNormalizer with(const std::string &name, const std::string &kind, double lo, double hi,
                     const std::string &other = "", bool chooses = false) {
  return {"@" + name + " " + kind, [=](B &b) { use(b, name, {argument(b, kind, lo, hi)}); }, other, chooses};
}

PairsNormalizer with(const std::string &name, const std::string &kind, double lo, double hi,
                     const std::string &otherKind, double otherLo, double otherHi, const std::string &other = "") {
  return {"@" + name + " " + kind + ", " + otherKind,
          [=](B &b) {
            const std::string x = argument(b, kind, lo, hi), y = argument(b, otherKind, otherLo, otherHi);
            use(b, name, {x, y});
          },
          other};
}

const char *const kGauge = R"(    gauge(%r0, %r1) {
      %d = arith.subf %r0, %r1 : f32
      %g = math.exp %d : f32
      attn.yield %g : f32
    }
)";

/// One of the user's own: its steps, and what the attend needs besides.
PairsNormalizer own(const std::string &name, const std::string &parameters, const std::string &steps,
                    std::function<std::vector<std::string>(B &)> arguments = nullptr, const std::string &other = "",
                    bool chooses = false, bool weights = true) {
  return {name,
          [=](B &b) {
            std::string text = steps;
            for (size_t at; (at = text.find("GAUGE")) != std::string::npos;)
              text.replace(at, 5, kGauge);
            b.normalizers += "attn.normalizer @own" + parameters + " {\n" + text + "}\n";
            use(b, "own", arguments ? arguments(b) : std::vector<std::string>());
          },
          other, chooses, weights};
}

/// Two weights, each with a sum of values; one has a threshold that no gauge moves.
const char *const kTwoWeights = R"(  attn.pass ref = max
GAUGE    phi(%s, %r) {
      %d = arith.subf %s, %r : f32
      %p = math.exp %d : f32
      %m = arith.negf %r : f32
      %e = math.exp %m : f32
      %half = arith.constant 0.5 : f32
      %h = arith.mulf %half, %e : f32
      %x = arith.subf %p, %h : f32
      %zero = arith.constant 0.0 : f32
      %q = arith.maximumf %x, %zero : f32
      attn.yield %p, %q : f32, f32
    }
    sums(l = one, m = one of 1, n = value, u = value of 1)
  attn.finish(%r, %l, %m, %n, %u) {
    %a = arith.divf %n, %l : f32
    %y = arith.addf %m, %l : f32
    %b = arith.divf %u, %y : f32
    %o = arith.subf %a, %b : f32
    %g = math.log %l : f32
    %e = arith.addf %r, %g : f32
    attn.yield %o, %e : f32, f32
  } outputs(o, lse) empty(0.0, neg_inf)
)";

/// Softmax in which keys of class 1 count by another factor than those of class 0; what class 2 has is lost.
const char *const kClasses = R"(  attn.pass ref = max
GAUGE    phi(%s, %r) {
      %d = arith.subf %s, %r : f32
      %p = math.exp %d : f32
      attn.yield %p : f32
    }
    sums(l = one, k = one in 1, c = count in 2, n = value in 0, u = value in 1)
  attn.finish(%r, %l, %k, %c, %n, %u) {
    %x = arith.mulf %u, %f : f32
    %y = arith.addf %n, %x : f32
    %o = arith.divf %y, %l : f32
    %m = arith.divf %k, %l : f32
    %z = arith.addf %m, %c : f32
    attn.yield %o, %z : f32, f32
  } outputs(o, mass) empty(0.0, 0.0)
)";

/// A sum of values over all keys, and one over a class: neither alone.
const char *const kClassAndAll = R"(  attn.pass ref = none
    phi(%s) {
      %t = math.tanh %s : f32
      attn.yield %t : f32
    }
    sums(n = value, u = value in 1, c = count)
  attn.finish(%n, %u, %c) {
    %x = arith.addf %n, %u : f32
    %o = arith.divf %x, %c : f32
    attn.yield %o : f32
  } outputs(o) empty(0.0)
)";

/// A state that has a value.
const char *const kSeed = R"(  attn.pass ref = max
GAUGE    phi(%s, %r) {
      %d = arith.subf %s, %r : f32
      %p = math.exp %d : f32
      attn.yield %p : f32
    }
    seed {
      %two = arith.constant 2.0 : f32
      attn.yield %b, %two, %x : f32, f32, f32
    }
    sums(l = one, n = value)
  attn.finish(%r, %l, %n) {
    %o = arith.divf %n, %l : f32
    %g = math.log %l : f32
    %e = arith.addf %r, %g : f32
    attn.yield %o, %e : f32, f32
  } outputs(o, lse) empty(0.0, neg_inf)
)";

/// Scores over their root mean square.
const char *const kStatistic = R"(  %t = attn.pass ref = none
    phi(%s) {
      %p = arith.mulf %s, %s : f32
      attn.yield %p : f32
    }
    sums(l = one, c = count)
    stat(%l, %c) {
      %m = arith.divf %l, %c : f32
      %one = arith.constant 1.0 : f32
      %x = arith.addf %m, %one : f32
      %t = math.sqrt %x : f32
      attn.yield %t : f32
    }
  attn.pass ref = none
    phi(%s) {
      %p = arith.divf %s, %t : f32
      attn.yield %p : f32
    }
    sums(n = value, c = count)
  attn.finish(%n, %c) {
    %x = arith.mulf %n, %f : f32
    %o = arith.divf %x, %c : f32
    attn.yield %o, %t : f32, f32
  } outputs(o, size) empty(0.0, 1.0)
)";

/// Three passes: a softmax's log sum, the sum of its squared weights, and weights over that.
const char *const kThreePasses = R"(  %t = attn.pass ref = max
GAUGE    phi(%s, %r) {
      %d = arith.subf %s, %r : f32
      %p = math.exp %d : f32
      attn.yield %p : f32
    }
    sums(l = one)
    stat(%r, %l) {
      %g = math.log %l : f32
      %t = arith.addf %r, %g : f32
      attn.yield %t : f32
    }
  %u = attn.pass ref = none
    phi(%s) {
      %d = arith.subf %s, %t : f32
      %e = math.exp %d : f32
      %p = arith.mulf %e, %e : f32
      attn.yield %p : f32
    }
    sums(l = one)
    stat(%l) {
      %u = math.sqrt %l : f32
      attn.yield %u : f32
    }
  attn.pass ref = none
    phi(%s) {
      %d = arith.subf %s, %t : f32
      %e = math.exp %d : f32
      %p = arith.divf %e, %u : f32
      attn.yield %p : f32
    }
    sums(n = value)
  attn.finish(%n) {
    attn.yield %n, %u : f32, f32
  } outputs(o, size) empty(0.0, 0.0)
)";

/// A sink in the first of two passes: rows without keys have its log sum.
const char *const kEarlySeed = R"(  %t = attn.pass ref = max
GAUGE    phi(%s, %r) {
      %d = arith.subf %s, %r : f32
      %p = math.exp %d : f32
      attn.yield %p : f32
    }
    seed {
      %one = arith.constant 1.0 : f32
      attn.yield %b, %one : f32, f32
    }
    sums(l = one)
    stat(%r, %l) {
      %g = math.log %l : f32
      %t = arith.addf %r, %g : f32
      attn.yield %t : f32
    }
  attn.pass ref = none
    phi(%s) {
      %d = arith.subf %s, %t : f32
      %e = math.exp %d : f32
      %p = arith.mulf %e, %f : f32
      attn.yield %p : f32
    }
    sums(n = value)
  attn.finish(%n) {
    attn.yield %n, %t : f32, f32
  } outputs(o, lse) empty(0.0, neg_inf)
)";

/// A first pass whose reference and count stay, a second with a reference and a sink of its own.
const char *const kTwoReferences = R"(  %m, %k = attn.pass ref = max
GAUGE    phi(%s, %r) {
      %d = arith.subf %s, %r : f32
      %p = math.exp %d : f32
      attn.yield %p : f32
    }
    sums(c = count)
    stat(%r, %c) {
      attn.yield %r, %c : f32, f32
    }
  attn.pass ref = max
GAUGE    phi(%s, %r) {
      %d = arith.subf %s, %r : f32
      %p = math.exp %d : f32
      attn.yield %p : f32
    }
    seed {
      %one = arith.constant 1.0 : f32
      %zero = arith.constant 0.0 : f32
      attn.yield %m, %one, %zero : f32, f32, f32
    }
    sums(l = one, n = value)
  attn.finish(%r, %l, %n) {
    %o = arith.divf %n, %l : f32
    %g = math.log %l : f32
    %e = arith.addf %r, %g : f32
    %x = arith.subf %e, %m : f32
    %y = arith.divf %x, %k : f32
    attn.yield %o, %y : f32, f32
  } outputs(o, excess) empty(0.0, 0.0)
)";

/// Sigmoids whose sum is a third of the keys.
const char *const kRoot = R"(  %k = attn.pass ref = none
    phi(%s) {
      attn.yield %s : f32
    }
    sums(c = count)
    stat(%c) {
      attn.yield %c : f32
    }
  %tau = attn.root
    phi(%s, %x) {
      %one = arith.constant 1.0 : f32
      %d = arith.subf %x, %s : f32
      %e = math.exp %d : f32
      %y = arith.addf %one, %e : f32
      %p = arith.divf %one, %y : f32
      attn.yield %p : f32
    }
    to {
      %c = arith.mulf %k, %f : f32
      %lo = arith.constant -40.0 : f32
      %hi = arith.constant 40.0 : f32
      attn.yield %c, %lo, %hi : f32, f32, f32
    }
  attn.pass ref = none
    phi(%s) {
      %one = arith.constant 1.0 : f32
      %d = arith.subf %tau, %s : f32
      %e = math.exp %d : f32
      %y = arith.addf %one, %e : f32
      %p = arith.divf %one, %y : f32
      attn.yield %p : f32
    }
    sums(n = value, l = one)
  attn.finish(%n, %l) {
    %o = arith.divf %n, %l : f32
    attn.yield %o, %tau : f32, f32
  } outputs(o, tau) empty(0.0, 0.0)
)";

/// The value of the largest score, weighed by it against the row's log sum.
const char *const kSelect = R"(  %t = attn.pass ref = max
GAUGE    phi(%s, %r) {
      %d = arith.subf %s, %r : f32
      %p = math.exp %d : f32
      attn.yield %p : f32
    }
    sums(l = one)
    stat(%r, %l) {
      %g = math.log %l : f32
      %t = arith.addf %r, %g : f32
      attn.yield %t : f32
    }
  attn.select largest
  attn.finish(%s, %v) {
    %d = arith.subf %s, %t : f32
    %w = math.exp %d : f32
    %o = arith.mulf %w, %v : f32
    attn.yield %o, %w : f32, f32
  } outputs(o, top) empty(0.0, 0.0)
)";

/// 1 + s + s^2 / 2, over its sum.
const char *const kPolynomial = R"(  attn.pass ref = none
    phi(%s) {
      %one = arith.constant 1.0 : f32
      %half = arith.constant 0.5 : f32
      %x = arith.mulf %s, %half : f32
      %y = arith.addf %x, %one : f32
      %z = arith.mulf %s, %y : f32
      %p = arith.addf %z, %one : f32
      attn.yield %p : f32
    }
    sums(l = one, n = value)
  attn.finish(%l, %n) {
    %o = arith.divf %n, %l : f32
    %z = math.sqrt %l : f32
    attn.yield %o, %z : f32, f32
  } outputs(o, size) empty(0.0, 0.0)
)";

/// Softmax at half the temperature: a gauge that is no plain exponential.
const char *const kHalf = R"(  attn.pass ref = max
    gauge(%r0, %r1) {
      %half = arith.constant 0.5 : f32
      %d = arith.subf %r0, %r1 : f32
      %x = arith.mulf %d, %half : f32
      %g = math.exp %x : f32
      attn.yield %g : f32
    }
    phi(%s, %r) {
      %half = arith.constant 0.5 : f32
      %d = arith.subf %s, %r : f32
      %x = arith.mulf %d, %half : f32
      %p = math.exp %x : f32
      attn.yield %p : f32
    }
    sums(l = one, c = count, n = value)
  attn.finish(%r, %l, %c, %n) {
    %o = arith.divf %n, %l : f32
    %half = arith.constant 0.5 : f32
    %h = arith.mulf %r, %half : f32
    %e = math.exp %h : f32
    %x = arith.mulf %e, %l : f32
    %z = arith.divf %x, %c : f32
    attn.yield %o, %z : f32, f32
  } outputs(o, size) empty(0.0, 0.0)
)";

/// The mean of the values: a weight that does not look at the score.
const char *const kMean = R"(  attn.pass ref = none
    phi(%s) {
      %one = arith.constant 1.0 : f32
      attn.yield %one : f32
    }
    sums(c = count, n = value)
  attn.finish(%c, %n) {
    %o = arith.divf %n, %c : f32
    attn.yield %o, %c : f32, f32
  } outputs(o, keys) empty(0.0, 0.0)
)";

/// The class of a pair, for the attend.
void classes(B &b, bool captured) {
  std::string body, result;
  if (captured) {
    const B::Captured c = b.captureInteger(b.draw.of<std::string>({"hj", "j", "bij"}), -1, 3);
    result = b.op(body, fmt::format("attn.load {}[{}]", c.name, c.loads), c.type);
    b.clauses +=
        "    class(" + b.indices("ij") + ") {\n" + body + "      attn.yield " + result + " : " + c.element + " }\n";
    return;
  }
  const std::string n = b.op(body, "arith.addi %i, %j", "index"), three = b.indexConstant(body, 3);
  result = b.op(body, "arith.remui " + n + ", " + three, "index");
  b.clauses += "    class(i = %i, j = %j) {\n" + body + "      attn.yield " + result + " : index }\n";
}

} // namespace

const std::vector<PairsNormalizer> &test::pairsNormalizers() {
  static const std::vector<PairsNormalizer> normalizers = {
      plain("softmax", "lse"),
      with("softmax_sink", "constant", -1, 1, "lse"),
      with("softmax_sink", "scalar", -1, 1, "lse"),
      with("softmax_sink", "h", -2, 2, "lse"),
      with("softmax_sink", "bhi", -2, 2, "lse"),
      plain("softmax1", "lse"),
      with("sigmoid", "constant", -3, 0),
      with("sigmoid", "scalar", -3, 0),
      with("sigmoid", "h", -3, 0),
      plain("relu_n"),
      plain("relu2_n"),
      with("relu2_sum", "constant", -0.5, 0.5, "constant", 0.5, 1),
      with("relu2_sum", "scalar", -0.5, 0.5, "bi", 0.5, 1),
      plain("identity"),
      plain("identity_n"),
      plain("softpick"),
      with("clipped", "constant", 1, 1.5, "constant", -0.25, 0, "lse"),
      with("clipped", "scalar", 1, 1.5, "hi", -0.25, 0, "lse"),
      plain("entmax15"),
      plain("sparsemax"),
      with("top_p", "constant", 0.53, 0.93, "lse", true),
      with("top_p", "scalar", 0.53, 0.93, "lse", true),
      with("top_p", "bhi", 0.53, 0.93, "lse", true),
      {"@argmax", [](B &b) { use(b, "argmax"); }, "max", true, false},
      own("two weights", "", kTwoWeights, nullptr, "lse"),
      own(
          "classes", "(%f)", kClasses,
          [](B &b) {
            classes(b, false);
            return std::vector{argument(b, "scalar", -1, 2)};
          },
          "mass"),
      own(
          "captured classes", "(%f)", kClasses,
          [](B &b) {
            classes(b, true);
            return std::vector{argument(b, "h", -1, 2)};
          },
          "mass"),
      own("class and all", "", kClassAndAll,
          [](B &b) {
            classes(b, b.draw.chance(50));
            return std::vector<std::string>();
          }),
      own(
          "seed with a value", "(%b, %x)", kSeed,
          [](B &b) {
            const std::string r = argument(b, "hi", -2, 2);
            return std::vector{r, argument(b, "b", -1, 1)};
          },
          "lse"),
      own(
          "statistic", "(%f)", kStatistic, [](B &b) { return std::vector{argument(b, "constant", 1, 2)}; }, "size"),
      own("three passes", "", kThreePasses, nullptr, "size"),
      own(
          "early seed", "(%b, %f)", kEarlySeed,
          [](B &b) {
            const std::string sink = argument(b, b.draw.chance(50) ? "h" : "scalar", -2, 2);
            return std::vector{sink, argument(b, "scalar", 0.5, 2)};
          },
          "lse"),
      own("two references", "", kTwoReferences, nullptr, "excess"),
      own(
          "root", "(%f)", kRoot, [](B &b) { return std::vector{argument(b, "scalar", 0.25, 0.75)}; }, "tau"),
      own("selection", "", kSelect, nullptr, "top", true, false),
      own("polynomial", "", kPolynomial, nullptr, "size"),
      own("half", "", kHalf, nullptr, "size"),
      own("mean", "", kMean, nullptr, "keys"),
  };
  return normalizers;
}
