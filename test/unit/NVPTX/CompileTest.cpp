// attn::compile for GPUs: the infos and images that launches are planned from, without ptxas and without a GPU.
#include "attn/Compiler/Compiler.h"

#include "attn-rt/attn_gpu.h"

#include "llvm/ADT/StringRef.h"

#include <gtest/gtest.h>

using namespace attn;

namespace {

const char *const program = R"(
!t = tensor<?x?x16xf32>
attn.kernel @small(%q: !t, %k: !t, %v: !t) -> (o: !t) {
  %o = attn.attend dims(h | i | j | c, e)
    q = %q[h, i, c] k = %k[h, j, c] v = %v[h, j, e]
    normalize = @softmax
    outputs o[h, i, e]
    : (!t, !t, !t) -> (!t)
  attn.return %o : !t
})";

CompileOptions forGpu(const char *target) {
  CompileOptions options;
  options.target = target;
  return options;
}

TEST(CompileForGpu, Images) {
  auto kernel = compile(program, forGpu("sm_90,sm_86"));
  ASSERT_TRUE(bool(kernel)) << llvm::toString(kernel.takeError());
  const attn_gpu_info *info = kernel->gpu();
  ASSERT_NE(info, nullptr);
  EXPECT_EQ(info->abi_version, ATTN_RT_ABI_VERSION);
  EXPECT_EQ(info->size, sizeof(attn_gpu_info));
  EXPECT_EQ(info->kernel, &kernel->info());
  // One image, the text for the lowest.
  EXPECT_EQ(info->images[0].sm, 86);
  EXPECT_EQ(info->images[0].is_ptx, 1);
  EXPECT_EQ(info->images[1].data, nullptr);
  llvm::StringRef text(static_cast<const char *>(info->images[0].data));
  EXPECT_EQ(text.size() + 1, info->images[0].bytes);
  EXPECT_TRUE(text.contains(".target sm_86"));
  for (int v = 0; v < info->n_variants; ++v)
    for (int p = 0; p < info->variants[v].n_phases; ++p)
      EXPECT_TRUE(text.contains(std::string(".visible .entry ") + info->variants[v].phases[p].entry + "("));
  // It is not run on this CPU.
  EXPECT_EQ(kernel->run({}), ATTN_E_ARGUMENT);
}

TEST(CompileForGpu, SameTextAsAhead) {
  auto kernel = compile(program, forGpu("sm_80"));
  auto text = emit(program, forGpu("sm_80"), "ptx");
  ASSERT_TRUE(bool(kernel)) << llvm::toString(kernel.takeError());
  ASSERT_TRUE(bool(text)) << llvm::toString(text.takeError());
  EXPECT_EQ(*text, static_cast<const char *>(kernel->gpu()->images[0].data));
}

TEST(CompileForGpu, Plan) {
  auto kernel = compile(program, forGpu("sm_80"));
  ASSERT_TRUE(bool(kernel)) << llvm::toString(kernel.takeError());
  constexpr int64_t heads = 3, rows = 100;
  std::vector<float> data(heads * rows * 16);
  attn_tensor args[4] = {};
  for (attn_tensor &tensor : args) {
    static const int64_t shape[] = {heads, rows, 16}, stride[] = {rows * 16, 16, 1};
    tensor.data = data.data();
    tensor.code = ATTN_FLOAT;
    tensor.bits = 32;
    tensor.lanes = 1;
    tensor.rank = 3;
    std::copy(shape, shape + 3, tensor.shape);
    std::copy(stride, stride + 3, tensor.stride);
  }
  std::vector<float> out(data.size());
  args[3].data = out.data();
  attn_call call = {};
  call.abi_version = ATTN_RT_ABI_VERSION;
  call.size = sizeof call;
  call.args = args;
  call.n_args = 4;
  call.variant = -1;
  uint64_t bytes = 0;
  ASSERT_EQ(kernel->workspace(call, bytes), ATTN_OK);
  std::vector<char> workspace(bytes + 64);
  call.workspace = reinterpret_cast<void *>((reinterpret_cast<uintptr_t>(workspace.data()) + 63) / 64 * 64);
  call.workspace_bytes = bytes;
  int launches = 0;
  auto count = [](void *ctx, const attn_gpu_launch *launch) -> attn_status {
    EXPECT_EQ(launch->grid, 3 * ((100u + launch->phase->block - 1) / launch->phase->block) *
                                (launch->phase->kind == ATTN_GPU_MAIN ? std::max(launch->phase->chunks, 1) : 1) *
                                std::max(launch->phase->slices, 1));
    EXPECT_EQ(launch->n_pointers, 5);
    ++*static_cast<int *>(ctx);
    return ATTN_OK;
  };
  EXPECT_EQ(attn_gpu_plan(&call, kernel->gpu(), count, &launches), ATTN_OK);
  EXPECT_GE(launches, 1);
}

} // namespace
