// What attn-run says: as text for people, as one JSON object for scripts.
#ifndef ATTN_TOOLS_RUN_REPORT_H
#define ATTN_TOOLS_RUN_REPORT_H

#include "Bench.h"
#include "Explain.h"
#include "Oracle.h"
#include "Predict.h"

namespace attn::run {

/// The set of one attend of several.
struct StepSurvey {
  unsigned step = 0; // from 1
  const Program *program = nullptr;
  Problem problem; // of the step alone
  std::optional<PairCount> pairs;
  std::optional<Survey> survey;
};

/// Everything that was found out; what was not measured is absent.
struct Report {
  const Options *options = nullptr;
  const Program *program = nullptr;
  const Problem *problem = nullptr;
  const Execution *execution = nullptr;
  std::optional<double> seconds; // of the one run, or the median of the rounds
  std::optional<PairCount> pairs;
  std::optional<CheckResult> check;
  std::vector<Comparison> expected;
  std::optional<BenchResult> bench;
  std::optional<Predicted> predicted;
  std::string notPredicted; // why, where that was asked for
  std::optional<Survey> survey;
  std::vector<std::unique_ptr<StepSurvey>> steps; // of a kernel of several
  std::string unsupported;           // why the compiler does not take the program; what needs the kernel is absent then
  std::vector<std::string> pictures; // written
  int exitCode = 0;
  std::string error; // the line on standard error, if there is one

  bool comparisonsOk() const;
  double flopsPerPair() const; // 2 (d + dv), 2 d without values
  double flops() const;        // of all visible pairs, of all attends
  std::optional<double> gflops() const;
  std::optional<double> density() const; // visible pairs of all pairs
};

/// A line of the text: what it is about in a column of its own, empty where it goes on.
void printLine(const char *what, const std::string &text);
/// Elements of a kernel of one attend: those of q; of others: of the first argument of floats.
std::string elementName(const Program &program);
/// Seconds of each part, by name.
std::vector<std::pair<const char *, double>> partsOf(const Prediction &prediction);
/// What --explain adds.
void printExplanation(const Report &report);
void printText(const Report &report);
/// Absent values are null; an infinite error or ratio is 1e9, for JSON has no infinity.
void printJson(const Report &report);

} // namespace attn::run

#endif
