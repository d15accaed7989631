// Kernels of several steps: their extents and inputs, the check of their results, what each attend's set looks like.
#ifndef ATTN_TOOLS_RUN_STEPS_H
#define ATTN_TOOLS_RUN_STEPS_H

#include "Report.h"

#include "attn/Interpreter/Steps.h"

namespace attn::run {

/// One step as a problem of its own: its dimensions and the shapes of what it reads and writes, without data.
llvm::Expected<Problem> declareStep(const Program &step, const Options &options);
/// The same with the extents and shapes that solveSteps found for the whole; what is given there is given here.
llvm::Expected<Problem> shapedStep(const Problem &whole, const Program &program, const Program &step,
                                   const Options &options);

/// The extents of every step, the shape of every tensor without one, and the values of scalars and tensors that nothing
/// says. See StepExtents.cpp for the order of precedence.
llvm::Error solveSteps(Problem &problem, const Program &program, const Options &options);
llvm::Error fillSteps(Problem &problem, const Program &program, const Options &options);

llvm::Expected<std::unique_ptr<interpreter::Steps>> makeSteps(const Program &program, const Problem &problem,
                                                              const Options &options);

/// As checkResults, over the results of all steps. What later steps read is computed completely.
llvm::Expected<CheckResult> checkSteps(const Program &program, const Problem &problem, interpreter::Steps &steps,
                                       uint64_t seed);

/// Counts the pairs of every attend; with --explain, looks at its first batch.
llvm::Expected<std::vector<std::unique_ptr<StepSurvey>>> surveySteps(const Program &program, const Problem &problem,
                                                                     interpreter::Steps &steps, const Options &options);

} // namespace attn::run

#endif
