// Calls the kernel of one program that was compiled twice.
#include "causal.h"
#include "causal_gpu.h"

#include <stdio.h>
#include <stdlib.h>

static float data[3][64], out[64], lse[1];

int main(void) {
  attn_tensor args[attn_causal_num_args];
  for (int n = 0; n < attn_causal_num_args; ++n) {
    attn_tensor t = {
        .code = ATTN_FLOAT, .bits = 32, .lanes = 1, .rank = 4, .shape = {1, 1, 1, 64}, .stride = {64, 64, 64, 1}};
    if (n == attn_causal_arg_lse)
      t.rank = 3;
    t.data = n < 3 ? data[n] : n == attn_causal_arg_lse ? lse : out;
    args[n] = t;
  }
  data[2][0] = 1; // the only value's first feature is the output's
  attn_call call = {.abi_version = ATTN_RT_ABI_VERSION,
                    .size = sizeof call,
                    .args = args,
                    .n_args = attn_causal_num_args,
                    .variant = -1};
  attn_causal_workspace(&call, &call.workspace_bytes);
  call.workspace = aligned_alloc(64, call.workspace_bytes / 64 * 64 + 64);
  attn_status status = attn_causal(&call);
  printf("cpu %s, first output %g\n", attn_status_name(status), out[0]);

  status = attn_causal_gpu_workspace(&call, &call.workspace_bytes);
  printf("gpu workspace %s, %llu bytes\n", attn_status_name(status), (unsigned long long)call.workspace_bytes);
  call.workspace = aligned_alloc(64, call.workspace_bytes / 64 * 64 + 64);
  printf("gpu %s\n", attn_status_name(attn_causal_gpu(&call, NULL)));
  return 0;
}
