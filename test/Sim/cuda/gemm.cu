// C = A * B^T in bf16 with f32 accumulators: 64 x 64 tiles, K in steps of 32, cp.async into two buffers with an XOR swizzle, ldmatrix, mma.sync.
#include <cuda_bf16.h>

__device__ __forceinline__ unsigned shared_address(const void *p) { return (unsigned)__cvta_generic_to_shared(p); }

__device__ __forceinline__ void copy16(unsigned to, const void *from, bool valid) {
  int bytes = valid ? 16 : 0;
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(to), "l"(from), "r"(bytes) : "memory");
}

// Row r of a tile has four chunks of 16 bytes; chunk c lies at c ^ (r / 2 % 4), so that eight rows in a column touch all banks.
__device__ __forceinline__ int place(int r, int c) { return r * 64 + ((c ^ (r >> 1 & 3)) * 16); }

__device__ __forceinline__ void load_tile(unsigned to, const __nv_bfloat16 *from, int first, int rows, int k, int step) {
#pragma unroll
  for (int j = 0; j < 2; ++j) {
    const int r = threadIdx.x / 4 + 32 * j, c = threadIdx.x % 4;
    const bool valid = first + r < rows && step * 32 + c * 8 < k;
    copy16(to + place(r, c), valid ? from + (size_t)(first + r) * k + step * 32 + c * 8 : from, valid);
  }
}

extern "C" __global__ void __launch_bounds__(128) gemm(const __nv_bfloat16 *a, const __nv_bfloat16 *b, float *c, int m, int n, int k) {
  __shared__ __align__(128) unsigned char sa[2][64 * 64], sb[2][64 * 64];
  const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
  const int row0 = blockIdx.y * 64, col0 = blockIdx.x * 64;
  float acc[8][4] = {};
  const int steps = (k + 31) / 32;
  load_tile(shared_address(sa[0]), a, row0, m, k, 0);
  load_tile(shared_address(sb[0]), b, col0, n, k, 0);
  asm volatile("cp.async.commit_group;" ::: "memory");
  for (int s = 0; s < steps; ++s) {
    if (s + 1 < steps) {
      load_tile(shared_address(sa[(s + 1) % 2]), a, row0, m, k, s + 1);
      load_tile(shared_address(sb[(s + 1) % 2]), b, col0, n, k, s + 1);
    }
    asm volatile("cp.async.commit_group;" ::: "memory");
    asm volatile("cp.async.wait_group 1;" ::: "memory");
    __syncthreads();
    const unsigned ta = shared_address(sa[s % 2]), tb = shared_address(sb[s % 2]);
    for (int kk = 0; kk < 2; ++kk) {
      unsigned fa[4];
      const int r = warp * 16 + lane % 16;
      asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
                   : "=r"(fa[0]), "=r"(fa[1]), "=r"(fa[2]), "=r"(fa[3])
                   : "r"(ta + place(r, kk * 2 + lane / 16)));
      for (int j = 0; j < 8; j += 2) {
        unsigned fb[4];
        const int q = j * 8 + lane % 8 + (lane / 16) * 8;
        asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
                     : "=r"(fb[0]), "=r"(fb[1]), "=r"(fb[2]), "=r"(fb[3])
                     : "r"(tb + place(q, kk * 2 + lane / 8 % 2)));
        for (int h = 0; h < 2; ++h)
          asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
                       : "+f"(acc[j + h][0]), "+f"(acc[j + h][1]), "+f"(acc[j + h][2]), "+f"(acc[j + h][3])
                       : "r"(fa[0]), "r"(fa[1]), "r"(fa[2]), "r"(fa[3]), "r"(fb[2 * h]), "r"(fb[2 * h + 1]));
      }
    }
    __syncthreads();
  }
  for (int j = 0; j < 8; ++j)
    for (int i = 0; i < 4; ++i) {
      const int row = row0 + warp * 16 + lane / 4 + 8 * (i / 2), col = col0 + j * 8 + 2 * (lane % 4) + i % 2;
      if (row < m && col < n)
        c[(size_t)row * n + col] = acc[j][i];
    }
}
