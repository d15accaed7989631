// One case of fraction-of-peak: a program whose tasks are timed one by one between runs of the peak loop.
#ifndef ATTN_BENCH_FRACTION_H
#define ATTN_BENCH_FRACTION_H

#include "llvm/Support/Error.h"

#include <memory>
#include <string>

namespace attn::bench {

/// FILE[:WIDTH[:OPTION,...]]
struct Case {
  std::string file, width, options;

  void addTarget(const std::string &target) {
    if (!target.empty())
      options += (options.empty() ? "--target," : ",--target,") + target;
  }
};

/// Fractions of the peak of fused multiply-adds on one thread.
struct Fractions {
  double flops = 0, flopsPerCycle = 0; // of the program; of the peak loop
  double quiet = 0;                    // the 3 % quantile of every task's time x peak, summed
  double median = 0;                   // the same of medians
  double mainQuiet = 0;                // of the main phases alone
  double peak = 0;                     // FLOP/s of the loop, median
  size_t tasks = 0, samples = 0;       // of the task that has fewest
};

/// Compiled and bound, so that several can take turns.
class Measurement {
public:
  static llvm::Expected<std::unique_ptr<Measurement>> create(const Case &c);
  ~Measurement();
  /// Calls the kernel for so many seconds of this thread's time, at least once.
  llvm::Error run(double seconds);
  llvm::Expected<Fractions> fractions() const;

private:
  struct State;
  explicit Measurement(std::unique_ptr<State> state);
  std::unique_ptr<State> state;
};

/// How much faster whole calls are on two threads than on one, and how much the peak loop is in the same rounds.
struct Scaling {
  double calls = 0, loop = 0; // medians of the rounds' ratios
  double best = 0;            // of the fastest calls of all rounds
  int rounds = 0;
};
llvm::Expected<Scaling> measureScaling(const Case &c, double seconds);

} // namespace attn::bench

#endif
