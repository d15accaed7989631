// The error rule.
#include "attn/Support/ErrorRule.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

using namespace attn;

namespace {

bool sameKind(double a, double b) {
  if (std::isfinite(a) || std::isfinite(b))
    return std::isfinite(a) && std::isfinite(b);
  return std::isnan(a) ? std::isnan(b) : a == b;
}

struct Maxima {
  double ours = 0, theirs = 0, size = 0;
  int64_t worst = -1;

  void add(const ErrorRuleInput &in, int64_t n) {
    if (!std::isfinite(in.exact[n]))
      return;
    const double error = std::fabs(in.got[n] - in.exact[n]);
    if (worst < 0 || error > ours)
      worst = n;
    ours = std::max(ours, error);
    if (std::isfinite(in.plain[n]))
      theirs = std::max(theirs, std::fabs(in.plain[n] - in.exact[n]));
    size = std::max(size, std::fabs(in.got[n]));
  }
};

double ratioOf(double measured, double allowed) {
  if (measured == 0)
    return 0;
  return allowed > 0 ? measured / allowed : INFINITY;
}

class Rule {
public:
  explicit Rule(const ErrorRuleInput &in) : in(in) {}

  ErrorReport run() {
    if (!kinds())
      return report;
    Maxima all;
    for (size_t n = 0; n < in.got.size(); ++n)
      all.add(in, int64_t(n));
    report.maxError = all.ours;
    report.worst = all.worst;
    if (is16Bit(in.element))
      sixteenBit(all);
    else
      full(all);
    return report;
  }

private:
  /// NaN, infinities and exact rows.
  bool kinds() {
    int64_t bad = 0;
    for (size_t n = 0; n < in.got.size(); ++n) {
      const bool exact = !in.exactRows.empty() && in.exactRows[n / size_t(in.rowLength)];
      if (sameKind(in.got[n], in.exact[n]) && (!exact || std::isnan(in.got[n]) || in.got[n] == in.exact[n]))
        continue;
      if (!bad++)
        report.worst = int64_t(n);
    }
    if (!bad)
      return true;
    report.ok = false;
    report.maxError = report.ratio = INFINITY;
    report.what = fmt::format("{} of {} values differ in NaN, Inf or in an empty row", bad, in.got.size());
    return false;
  }

  void judge(double measured, double allowed, int64_t at, const char *rule) {
    const double ratio = ratioOf(measured, allowed);
    if (ratio > report.ratio) {
      report.ratio = ratio;
      if (ratio > 1) {
        report.ok = false;
        report.worst = at;
        report.what = fmt::format("{}: {:.4g} exceeds {:.4g}", rule, measured, allowed);
      }
    }
  }

  void full(const Maxima &all) {
    const double eps = epsilonOf(in.element);
    judge(all.ours, 2 * all.theirs + 2 * eps * all.size, all.worst, "max error of the tensor");
    for (size_t row = 0; in.rowLength > 0 && row < in.got.size(); row += size_t(in.rowLength)) {
      Maxima one;
      for (int64_t n = 0; n < in.rowLength; ++n)
        one.add(in, int64_t(row) + n);
      judge(one.ours, 2 * all.theirs + 2 * eps * one.size, one.worst, "max error of the row");
    }
  }

  void sixteenBit(const Maxima &all) {
    judge(all.ours, 1.5 * all.theirs + ulp(all.size, in.element), all.worst, "max error of the tensor");
    double ours = 0, theirs = 0, ulps = 0;
    for (size_t n = 0; n < in.got.size(); ++n) {
      if (!std::isfinite(in.exact[n]))
        continue;
      ours += std::fabs(in.got[n] - in.exact[n]);
      theirs += std::isfinite(in.plain[n]) ? std::fabs(in.plain[n] - in.exact[n]) : 0;
      ulps += ulp(in.got[n], in.element);
    }
    const double count = std::max<double>(1, double(in.got.size()));
    judge(ours / count, (1.05 * theirs + ulps) / count, all.worst, "mean error of the tensor");
  }

  const ErrorRuleInput &in;
  ErrorReport report;
};

} // namespace

ErrorReport attn::checkError(const ErrorRuleInput &input) { return Rule(input).run(); }

ErrorReport attn::checkTolerance(llvm::ArrayRef<double> got, llvm::ArrayRef<double> expected, double tolerance) {
  ErrorReport report;
  for (size_t n = 0; n < got.size(); ++n) {
    double error = 0;
    if (!sameKind(got[n], expected[n]))
      error = INFINITY;
    else if (std::isfinite(got[n]))
      error = std::fabs(got[n] - expected[n]);
    if (report.worst < 0 || error > report.maxError) {
      report.maxError = error;
      report.worst = int64_t(n);
    }
  }
  report.ratio = ratioOf(report.maxError, tolerance);
  report.ok = report.ratio <= 1;
  if (!report.ok)
    report.what = std::isinf(report.maxError) ? "NaN or Inf differ"
                                              : fmt::format("error {:.4g} exceeds {:.4g}", report.maxError, tolerance);
  return report;
}
