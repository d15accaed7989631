// Calls of kernels of one or more steps, without an oracle.
#ifndef ATTN_TEST_UNIT_EXECUTION_STEPS_H
#define ATTN_TEST_UNIT_EXECUTION_STEPS_H

#include "Harness.h"

namespace attn::test {

/// A compiled kernel and its arguments: tensors, then results.
class StepCall {
public:
  explicit StepCall(const std::string &text, const std::string &target = "");
  ~StepCall() { attn_pool_destroy(pool); }
  StepCall(const StepCall &) = delete;
  void threads(int n);
  /// With exactly the workspace it asks for. Inputs and the bytes around workspace and results stay as found.
  attn_status run();

  std::vector<Tensor> args;
  std::vector<attn_scalar> params;
  int32_t variant = -1;
  attn_error error = {};
  attn_stats stats = {};

private:
  std::unique_ptr<Kernel> kernel;
  attn_pool *pool = nullptr;
  int workers = 1;
};

} // namespace attn::test

#endif
