// What the cost model says of a call, and the two figures that it takes from this machine.
#ifndef ATTN_TOOLS_RUN_PREDICT_H
#define ATTN_TOOLS_RUN_PREDICT_H

#include "Execute.h"
#include "PeakLoop.h"
#include "Visibility.h"

#include "attn/Analysis/KernelCost.h"

namespace attn::run {

/// A predicted call: of the variant that ran, and of the others that may be forced, by what that one counted.
struct Predicted {
  std::string variant;
  Prediction time;
  MachineRates rates;
  CallCounts counts;
};

/// Costs of the variants of the program's kernel, by name, as `options` have them compiled.
class CostModel {
public:
  /// An error says why nothing is predicted: a kernel of several steps, a target without a table.
  static llvm::Expected<CostModel> create(const Program &program, const Options &options);
  llvm::Expected<Predicted> predict(const Execution &execution, const Problem &problem, double visible,
                                    const MachineRates &rates) const;

private:
  struct Named {
    std::string name, why; // why there is no cost; empty: there is
    VariantCost cost;
  };
  std::vector<Named> variants;
  std::vector<int64_t> share; // consecutive indices of each batch dimension with the same keys; 0: all
};

/// Bytes of the last-level cache, as Linux says; 0: it does not.
double lastLevelCache();
/// Bytes a second at which the call's inputs can be read, on its threads; 0: there is no read loop.
double measureReading(const Execution &execution, const Problem &problem);
/// The same and the peak loop's cycles a second, on its threads; 0 where it is null.
MachineRates measureRates(const Execution &execution, const Problem &problem, const PeakLoop *loop);

} // namespace attn::run

#endif
