#include "Steps.h"

using namespace attn;
using namespace attn::test;

test::StepCall::StepCall(const std::string &text, const std::string &target) {
  CompileOptions options;
  options.blockRows = kTiny.rows;
  options.blockKeys = kTiny.keys;
  options.verifyEach = true;
  options.target = target;
  auto compiled = attn::compile(text, options);
  if (!compiled)
    llvm::report_fatal_error(llvm::Twine(text) + llvm::toString(compiled.takeError()));
  kernel = std::make_unique<Kernel>(std::move(*compiled));
}

void test::StepCall::threads(int n) {
  attn_pool_destroy(pool);
  pool = attn_pool_create(n);
  workers = n;
}

attn_status test::StepCall::run() {
  std::vector<attn_tensor> tensors;
  std::vector<std::vector<uint64_t>> before;
  for (const Tensor &t : args) {
    tensors.push_back(t.abi());
    before.push_back(t.elements());
  }
  attn_call call{};
  call.abi_version = ATTN_RT_ABI_VERSION;
  call.size = sizeof call;
  call.args = tensors.data();
  call.params = params.data();
  call.n_args = int32_t(args.size());
  call.n_params = int32_t(params.size());
  call.workers = workers;
  call.pool = pool;
  call.variant = variant;
  call.stats = &stats;
  call.error = &error;
  stats = {};
  error = {-2, -2, -2, -2};
  uint64_t bytes = 0;
  attn_status status = kernel->workspace(call, bytes);
  constexpr size_t guard = 256;
  std::vector<unsigned char> workspace(bytes + 2 * guard, 0xff); // NaN wherever it is read before it is written
  call.workspace = workspace.data() + guard;
  call.workspace_bytes = bytes;
  const attn_status asked = status;
  status = kernel->run(call);
  if (asked)
    EXPECT_EQ(status, asked) << "the run refuses what the question refuses";
  for (size_t n = 0; n < guard; ++n)
    EXPECT_TRUE(workspace[n] == 0xff && workspace[workspace.size() - 1 - n] == 0xff) << "around the workspace";
  for (size_t n = 0; n < args.size(); ++n) {
    EXPECT_TRUE(args[n].gapsUntouched()) << "around tensor " << n;
    if (kernel->info().args[n].role == ATTN_ARG_INPUT)
      EXPECT_EQ(args[n].elements(), before[n]) << "input " << n << " was written";
  }
  return status;
}
