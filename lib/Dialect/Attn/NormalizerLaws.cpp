// Laws of normalizers that are looked at on samples: weights change with the reference by the gauge, what comes out of
// a pass does not depend on the reference, what is summed by a root falls (normalizer_c3, normalizer_c4, root_c4,
// root_c5).
#include "Rules.h"
#include "SampleEvaluator.h"

#include "llvm/Support/Format.h"

#include <cmath>

using namespace mlir;
using namespace attn;
using namespace attn::rules;

namespace {

constexpr unsigned kKeys = 4, kReferences = 3;

/// Scores of a row, one value feature of its keys, and references: the largest score, then ones below and above.
struct Row {
  double scores[kKeys], values[kKeys], references[kReferences];
};
const Row kRows[] = {
    {{1.5, -0.5, 0.25, 3}, {1, -2, 0.5, 0.75}, {3, 0, 4.5}},
    {{-2, -2, -2, -2}, {0.5, 1.5, 2, -1}, {-2, 1, -3.5}}, // all equal, negative
    {{40, 37.5, -20, 39}, {-1, 0.25, 8, 3}, {40, 42, 36}},
    {{-60, -57, -58.5, -90}, {2, -0.75, 1, 5}, {-57, -50, -59}},
    {{5.203125, -3.640625, 2.921875, 4.078125}, {-1.3125, 0.421875, 2.71875, -0.890625}, {5.203125, 6.40625, 1.78125}},
};
/// Of a parameter one does not know more than that it is a number; some have a meaning in one of these ranges alone.
const double kParams[][4] = {{0.5, 0.25, 0.75, 0.375}, {1.5, 1.25, 1.75, 2}, {-0.5, -1.25, -0.25, -2}};

/// Equal up to the rounding of f32 constants; true where one of them is no number.
bool agree(double a, double b, double slack) {
  if (!std::isfinite(a) || !std::isfinite(b))
    return true;
  return std::abs(a - b) <= 1e-5 * std::max(std::abs(a), std::abs(b)) + slack;
}

std::string list(ArrayRef<double> values) {
  std::string text;
  llvm::raw_string_ostream os(text);
  llvm::interleaveComma(values, os, [&](double x) { os << llvm::format("%.6g", x); });
  return text;
}

struct Violation {
  Operation *op;
  std::string text;
  bool mayBeRounding = false;
};

class Laws {
public:
  explicit Laws(NormalizerOp op) : op(op) {
    for (Operation &step : llvm::drop_end(op.getBody().front())) {
      auto pass = dyn_cast<PassOp>(step);
      steps.push_back(&step);
      if (isa<RootOp>(step) || (pass && pass.hasRef()))
        numSteps = steps.size();
    }
    steps.truncate(numSteps);
    for (Operation *step : steps)
      for (Region &region : step->getRegions())
        functions.push_back(region.empty() ? nullptr : std::make_unique<SampleFunction>(region));
    if (numSteps && op.lastStep() == steps.back())
      finish = std::make_unique<SampleFunction>(op.finish().getBody());
  }

  /// A law is broken where it is for all parameters that were tried: outside its range a parameter means nothing.
  LogicalResult verify() {
    std::optional<Violation> first;
    unsigned sets = op.numParams() ? std::size(kParams) : 1;
    for (unsigned set = 0; set < sets && numSteps; ++set) {
      compared = 0;
      std::optional<Violation> found = rows(kParams[set]);
      if (!found && (compared || !first))
        return success();
      if (found && !first)
        first = found;
    }
    if (!first)
      return success();
    return first->op->emitOpError(first->text);
  }

private:
  using Known = llvm::DenseMap<Value, double>;

  std::optional<Violation> rows(ArrayRef<double> values) {
    Known params;
    SmallVector<double> given;
    for (BlockArgument arg : op.getBody().getArguments())
      given.push_back(params[arg] = values[arg.getArgNumber() % values.size()]);
    with = given.empty() ? "" : " (parameters " + list(given) + ")";
    // Rounding may turn a comparison between equal sums, so one row is not enough to blame stat or the finish.
    std::optional<Violation> suspect;
    for (const Row &row : kRows) {
      std::optional<Violation> found = rowOf(row, params);
      if (found && (suspect || !found->mayBeRounding))
        return found->mayBeRounding ? suspect : found;
      if (found)
        suspect = found;
    }
    return std::nullopt;
  }

  std::optional<Violation> rowOf(const Row &row, Known known) {
    unsigned at = 0;
    for (Operation *step : steps) {
      auto parts = ArrayRef(functions).slice(at, step->getNumRegions());
      at += step->getNumRegions();
      auto pass = dyn_cast<PassOp>(step);
      auto root = dyn_cast<RootOp>(step);
      if (auto found = pass ? passOf(pass, parts, row, known) : root ? rootOf(root, parts, row, known) : std::nullopt)
        return found;
    }
    return std::nullopt;
  }

  using Parts = ArrayRef<std::unique_ptr<SampleFunction>>;

  /// Results of stat or the finish from the sums of one row against two references.
  std::optional<Violation> same(Operation *at, StringRef region, const Twine &result, ArrayRef<double> args0, double a,
                                ArrayRef<double> args1, double b) {
    ++compared;
    if (agree(a, b, 1e-6 * (1 + std::abs(args0[0]) + std::abs(args1[0]))))
      return std::nullopt;
    return Violation{at,
                     "[normalizer_c4] " + result.str() + " of " + region.str() + "(" + list(args0) + ") is " + list(a) +
                         ", but of " + region.str() + "(" + list(args1) +
                         "), the sums of the same row against another reference, it is " + list(b) + with +
                         "; how far a reference was raised depends on the order of the keys, so no result may: "
                         "divide sums by sums, add the logarithm of a sum to the reference, or let stat yield the "
                         "reference itself",
                     /*mayBeRounding=*/true};
  }

  std::optional<Violation> passOf(PassOp pass, Parts parts, const Row &row, Known &known) {
    const SampleFunction &phi = *parts[1];
    unsigned references = pass.hasRef() ? kReferences : 1;
    // Weights against every reference, and gauges between all of them.
    SmallVector<double> weights[kReferences][kKeys];
    double gauge[kReferences][kReferences] = {};
    for (unsigned r = 0; r < references; ++r) {
      for (unsigned j = 0; j < kKeys; ++j)
        weights[r][j] = pass.hasRef() ? phi({row.scores[j], row.references[r]}, known) : phi(row.scores[j], known);
      for (unsigned to = 0; to < references; ++to)
        gauge[r][to] = pass.hasRef() ? (*parts[0])({row.references[r], row.references[to]}, known).front() : 1.0;
    }
    for (unsigned r0 = 0; r0 < references; ++r0)
      for (unsigned r1 = 0; r1 < references; ++r1)
        for (unsigned j = 0; j < kKeys; ++j)
          for (unsigned k = 0; k < weights[0][0].size(); ++k)
            if (auto found = weighs(pass, row.scores[j], k, row.references[r0], row.references[r1], gauge[r0][r1],
                                    weights[r0][j][k], weights[r1][j][k]))
              return found;

    // Sums against the first reference; against another they are those times the gauge.
    SmallVector<int64_t> classes;
    for (unsigned n = 0; n < pass.numSums(); ++n)
      if (pass.classOf(n) >= 0 && !llvm::is_contained(classes, pass.classOf(n)))
        classes.push_back(pass.classOf(n));
    SmallVector<double> sums(pass.numSums(), 0.0);
    for (unsigned n = 0; n < pass.numSums(); ++n)
      for (unsigned j = 0; j < kKeys; ++j) {
        if (pass.classOf(n) >= 0 && classes[j % classes.size()] != pass.classOf(n))
          continue;
        bool count = pass.kindOf(n) == SumKind::Count;
        sums[n] +=
            count ? 1.0 : weights[0][j][pass.weightOf(n)] * (pass.kindOf(n) == SumKind::Value ? row.values[j] : 1.0);
      }
    auto arguments = [&](unsigned r, bool values) {
      SmallVector<double> args;
      if (pass.hasRef())
        args.push_back(row.references[r]);
      for (unsigned n = 0; n < pass.numSums(); ++n)
        if (values || pass.kindOf(n) != SumKind::Value)
          args.push_back(pass.kindOf(n) == SumKind::Count ? sums[n] : sums[n] * gauge[0][r]);
      return args;
    };
    if (Region *region = pass.statRegion()) {
      SmallVector<double> stats = (*parts[3])(arguments(0, false), known);
      // Where a statistic is the reference itself, that is exact once the pass is over, and the others go with it.
      bool exact = pass.hasRef() && llvm::is_contained(region->front().back().getOperands(), region->getArgument(0));
      for (unsigned r = 1; r < references && !exact; ++r) {
        SmallVector<double> other = (*parts[3])(arguments(r, false), known);
        for (unsigned n = 0; n < stats.size(); ++n) {
          if (auto found = same(pass, "stat", "result " + Twine(n), arguments(0, false), stats[n], arguments(r, false),
                                other[n]))
            return found;
        }
      }
      for (auto [result, value] : llvm::zip(pass.getStats(), stats))
        known[result] = value;
    }
    if (!finish || pass != op.lastStep())
      return std::nullopt;
    SmallVector<double> outputs = (*finish)(arguments(0, true), known);
    for (unsigned r = 1; r < references; ++r) {
      SmallVector<double> other = (*finish)(arguments(r, true), known);
      for (unsigned n = 0; n < outputs.size(); ++n) {
        auto name = cast<StringAttr>(op.finish().getOutNames()[n]).getValue();
        if (auto found = same(op.finish(), "finish", "output '" + name + "'", arguments(0, true), outputs[n],
                              arguments(r, true), other[n]))
          return found;
      }
    }
    return std::nullopt;
  }

  std::optional<Violation> weighs(PassOp pass, double s, unsigned k, double r0, double r1, double gauge, double before,
                                  double after) {
    ++compared;
    if (agree(after, gauge * before, 1e-30))
      return std::nullopt;
    std::string phi =
        pass.getPhi().front().back().getNumOperands() > 1 ? "weight " + std::to_string(k) + " of phi" : "phi";
    return Violation{pass, "[normalizer_c3] " + phi + "(" + list({s, r1}) + ") = " + list(after) + ", but gauge(" +
                               list({r0, r1}) + ") " + phi + "(" + list({s, r0}) + ") = " + list(gauge * before) +
                               with +
                               "; a weight changes with the reference by the gauge alone, "
                               "phi(s, r1) = gauge(r0, r1) phi(s, r0): for e^(s - r) the gauge is e^(r0 - r1)"};
  }

  std::optional<Violation> rootOf(RootOp root, Parts parts, const Row &row, Known &known) {
    SmallVector<double> to = (*parts[1])({}, known);
    double target = to[0], lo = to[1], hi = to[2];
    known[root.getTau()] = (lo + hi) / 2;
    if (!std::isfinite(target) || !std::isfinite(lo) || !std::isfinite(hi))
      return std::nullopt;
    ++compared;
    const double width = std::max(std::abs(lo), std::abs(hi));
    if (lo > hi + 1e-5 * width)
      return Violation{root, "[root_c5] lo = " + list(lo) + " is above hi = " + list(hi) + " for the scores " +
                                 list(row.scores) + with + "; yield the target, then lo, then hi"};
    double sum = 0;
    for (double s : row.scores) {
      double before = (*parts[0])({s, lo}, known).front();
      sum += before;
      for (unsigned n = 1; n <= 4; ++n) {
        double x0 = lo + (hi - lo) * ((n - 1) / 4.0), x1 = lo + (hi - lo) * (n / 4.0);
        double after = (*parts[0])({s, x1}, known).front();
        if (after > before && !agree(before, after, 1e-9))
          return Violation{root, "[root_c4] phi rises: phi(" + list({s, x0}) + ") = " + list(before) + ", phi(" +
                                     list({s, x1}) + ") = " + list(after) + with +
                                     "; a root is found in a sum that falls with x: take the negative of x"};
        before = after;
      }
    }
    if (sum < target && !agree(sum, target, 1e-6))
      return Violation{root, "[root_c5] at lo = " + list(lo) + " the weights sum to " + list(sum) +
                                 ", below the target " + list(target) + ", for the scores " + list(row.scores) + with +
                                 "; yield a lo so low that they sum to the target at least"};
    return std::nullopt;
  }

  NormalizerOp op;
  SmallVector<Operation *> steps; // up to the last that has a law
  unsigned numSteps = 0;
  SmallVector<std::unique_ptr<SampleFunction>> functions; // of all regions of the steps, in order
  std::unique_ptr<SampleFunction> finish;                 // where a law of it follows from the last step
  unsigned compared = 0;
  std::string with; // which parameters, for messages
};

} // namespace

LogicalResult attn::rules::verifyLaws(NormalizerOp op) { return Laws(op).verify(); }
