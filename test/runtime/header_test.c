/* header_test.c - compiled as C11 and as C++17 with every warning an error: the headers stand alone. */
#include "attn-rt/attn_gpu.h"

static attn_status kernel(const attn_call *call) {
  return call->abi_version == ATTN_RT_ABI_VERSION ? ATTN_OK : ATTN_E_VERSION;
}

int main(void) {
  attn_call call = {ATTN_RT_ABI_VERSION, sizeof(attn_call), NULL, NULL, 0, 0, NULL, 0, NULL, NULL, 0, -1, NULL, NULL};
  return kernel(&call);
}
