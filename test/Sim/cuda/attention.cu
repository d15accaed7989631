// Causal attention in bf16, d = 64: 64 queries a block, 64 keys a step, online softmax in base 2, K and V by cp.async into swizzled tiles, one step ahead.
#include <cuda_bf16.h>

__device__ __forceinline__ unsigned shared_address(const void *p) { return (unsigned)__cvta_generic_to_shared(p); }
__device__ __forceinline__ int place(int r, int c) { return r * 128 + ((c ^ (r & 7)) * 16); } // chunk c of 16 bytes in row r

__device__ __forceinline__ void load_tile(unsigned to, const __nv_bfloat16 *from, int first, int rows) {
#pragma unroll
  for (int j = 0; j < 4; ++j) {
    const int r = threadIdx.x / 8 + 16 * j, c = threadIdx.x % 8, row = first + r;
    const int bytes = row < rows ? 16 : 0;
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(to + place(r, c)), "l"(from + (size_t)(row < rows ? row : 0) * 64 + c * 8), "r"(bytes) : "memory");
  }
}

__device__ __forceinline__ void mma(float *d, const unsigned *a, unsigned b0, unsigned b1) {
  asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
               : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

__device__ __forceinline__ unsigned pack(float low, float high) {
  const __nv_bfloat162 two = __floats2bfloat162_rn(low, high);
  return *(const unsigned *)&two;
}

#define LDMATRIX(name, r, address)                                                                                   \
  asm volatile("ldmatrix.sync.aligned.m8n8.x4" name ".shared.b16 {%0,%1,%2,%3}, [%4];"                              \
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])                                                      \
               : "r"(address)                                                                                        \
               : "memory")

extern "C" __global__ void __launch_bounds__(128) attention(const __nv_bfloat16 *q, const __nv_bfloat16 *k, const __nv_bfloat16 *v, float *o, int n, float scale) {
  __shared__ __align__(128) unsigned char sq[64 * 128], sk[2][64 * 128], sv[2][64 * 128];
  const int warp = threadIdx.x / 32, lane = threadIdx.x % 32, first = blockIdx.x * 64;
  const size_t head = (size_t)blockIdx.y * n * 64;
  q += head, k += head, v += head, o += head;
  load_tile(shared_address(sq), q, first, n);
  load_tile(shared_address(sk[0]), k, 0, n);
  load_tile(shared_address(sv[0]), v, 0, n);
  asm volatile("cp.async.commit_group;" ::: "memory");
  float acc[8][4] = {}, peak[2] = {-INFINITY, -INFINITY}, sum[2] = {0, 0};
  unsigned fq[4][4];
  for (int b = 0; b <= blockIdx.x; ++b) {
    if (b + 1 <= blockIdx.x) {
      load_tile(shared_address(sk[(b + 1) % 2]), k, (b + 1) * 64, n);
      load_tile(shared_address(sv[(b + 1) % 2]), v, (b + 1) * 64, n);
    }
    asm volatile("cp.async.commit_group;" ::: "memory");
    asm volatile("cp.async.wait_group 1;" ::: "memory");
    __syncthreads();
    if (b == 0)
#pragma unroll
      for (int kk = 0; kk < 4; ++kk)
        LDMATRIX("", fq[kk], shared_address(sq) + place(warp * 16 + lane % 16, kk * 2 + lane / 16));
    const unsigned tk = shared_address(sk[b % 2]), tv = shared_address(sv[b % 2]);
    float s[8][4] = {};
#pragma unroll
    for (int kk = 0; kk < 4; ++kk)
#pragma unroll
      for (int j = 0; j < 8; j += 2) {
        unsigned fk[4];
        LDMATRIX("", fk, tk + place(j * 8 + lane % 8 + (lane / 16) * 8, kk * 2 + lane / 8 % 2));
        mma(s[j], fq[kk], fk[0], fk[1]);
        mma(s[j + 1], fq[kk], fk[2], fk[3]);
      }
#pragma unroll
    for (int h = 0; h < 2; ++h) {
      const int row = first + warp * 16 + lane / 4 + 8 * h;
      float m = peak[h];
#pragma unroll
      for (int j = 0; j < 8; ++j)
#pragma unroll
        for (int e = 0; e < 2; ++e) {
          const int col = b * 64 + j * 8 + 2 * (lane % 4) + e;
          float &x = s[j][2 * h + e];
          x = col <= row && col < n ? x * scale : -INFINITY;
          m = fmaxf(m, x);
        }
      m = fmaxf(m, __shfl_xor_sync(0xffffffffu, m, 1));
      m = fmaxf(m, __shfl_xor_sync(0xffffffffu, m, 2));
      const float alpha = exp2f(peak[h] - m);
      peak[h] = m;
      float t = 0;
#pragma unroll
      for (int j = 0; j < 8; ++j) {
#pragma unroll
        for (int e = 0; e < 2; ++e) {
          s[j][2 * h + e] = exp2f(s[j][2 * h + e] - m);
          t += s[j][2 * h + e];
          acc[j][2 * h + e] *= alpha;
        }
      }
      sum[h] = sum[h] * alpha + t;
    }
#pragma unroll
    for (int kk = 0; kk < 4; ++kk) {
      const unsigned fp[4] = {pack(s[2 * kk][0], s[2 * kk][1]), pack(s[2 * kk][2], s[2 * kk][3]), pack(s[2 * kk + 1][0], s[2 * kk + 1][1]),
                              pack(s[2 * kk + 1][2], s[2 * kk + 1][3])};
#pragma unroll
      for (int j = 0; j < 8; j += 2) {
        unsigned fv[4];
        LDMATRIX(".trans", fv, tv + place(kk * 16 + lane % 16, j + lane / 16));
        mma(acc[j], fp, fv[0], fv[1]);
        mma(acc[j + 1], fp, fv[2], fv[3]);
      }
    }
    __syncthreads();
  }
#pragma unroll
  for (int h = 0; h < 2; ++h) {
    sum[h] += __shfl_xor_sync(0xffffffffu, sum[h], 1);
    sum[h] += __shfl_xor_sync(0xffffffffu, sum[h], 2);
    const int row = first + warp * 16 + lane / 4 + 8 * h;
    if (row < n)
#pragma unroll
      for (int j = 0; j < 8; ++j)
        *(float2 *)&o[(size_t)row * 64 + j * 8 + 2 * (lane % 4)] = make_float2(acc[j][2 * h] / sum[h], acc[j][2 * h + 1] / sum[h]);
  }
}
