// For sm_90a: C = A * B^T in bf16, a 64 x 64 tile a CTA. TMA loads K in steps of 64 into a ring of three stages with mbarriers for full and empty; four warps
// multiply with wgmma from 128-byte swizzled tiles; the result goes out through shared memory by a TMA store that clips the edges.
struct alignas(64) TensorMap {
  char opaque[128];
};

__device__ __forceinline__ unsigned shared_address(const void *p) { return (unsigned)__cvta_generic_to_shared(p); }

__device__ __forceinline__ void wait(unsigned barrier, unsigned parity) {
  asm volatile("{\n.reg .pred p;\nWAIT:\nmbarrier.try_wait.parity.shared::cta.b64 p, [%0], %1;\n@p bra DONE;\nbra WAIT;\nDONE:\n}" ::"r"(barrier), "r"(parity) : "memory");
}

__device__ __forceinline__ void load(unsigned to, const TensorMap *map, int x, int y, unsigned barrier) {
  asm volatile("cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes [%0], [%1, {%2, %3}], [%4];" ::"r"(to), "l"(map), "r"(x), "r"(y), "r"(barrier) : "memory");
}

__device__ __forceinline__ unsigned long long descriptor(unsigned at) { // K-major, 128-byte swizzle, groups of eight rows 1024 bytes apart
  return (unsigned long long)(at >> 4) | 1ull << 16 | 64ull << 32 | 1ull << 62;
}

extern "C" __global__ void __launch_bounds__(128) hopper(const __grid_constant__ TensorMap a, const __grid_constant__ TensorMap b, const __grid_constant__ TensorMap c, int k) {
  constexpr int stages = 3, tile = 64 * 128;
  __shared__ __align__(1024) unsigned char sa[stages][tile], sb[stages][tile];
  __shared__ __align__(1024) float sc[2][64 * 32];
  __shared__ __align__(8) unsigned long long full[stages], empty[stages];
  const int warp = threadIdx.x / 32, lane = threadIdx.x % 32, steps = (k + 63) / 64;
  if (threadIdx.x == 0)
    for (int s = 0; s < stages; ++s) {
      asm volatile("mbarrier.init.shared::cta.b64 [%0], 1;" ::"r"(shared_address(&full[s])));
      asm volatile("mbarrier.init.shared::cta.b64 [%0], 128;" ::"r"(shared_address(&empty[s])));
    }
  __syncthreads();
  float acc[32];
  for (int i = 0; i < 32; ++i)
    acc[i] = 0;
#pragma unroll 1
  for (int t = 0; t < steps + stages - 1; ++t) {
    if (t < steps && threadIdx.x == 0) {
      const int s = t % stages;
      wait(shared_address(&empty[s]), (t / stages & 1) ^ 1);
      asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(shared_address(&full[s])), "r"(2 * tile) : "memory");
      load(shared_address(sa[s]), &a, t * 64, blockIdx.y * 64, shared_address(&full[s]));
      load(shared_address(sb[s]), &b, t * 64, blockIdx.x * 64, shared_address(&full[s]));
    }
    const int u = t - (stages - 1);
    if (u < 0)
      continue;
    const int s = u % stages;
    wait(shared_address(&full[s]), u / stages & 1);
    asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
#pragma unroll
    for (int kk = 0; kk < 4; ++kk) {
      const unsigned long long da = descriptor(shared_address(sa[s]) + 32 * kk), db = descriptor(shared_address(sb[s]) + 32 * kk);
      asm volatile("wgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16 {%0,%1,%2,%3,%4,%5,%6,%7,%8,%9,%10,%11,%12,%13,%14,%15,%16,%17,%18,%19,%20,%21,%22,%23,%24,%25,%26,%27,%28,"
                   "%29,%30,%31}, %32, %33, 1, 1, 1, 0, 0;"
                   : "+f"(acc[0]), "+f"(acc[1]), "+f"(acc[2]), "+f"(acc[3]), "+f"(acc[4]), "+f"(acc[5]), "+f"(acc[6]), "+f"(acc[7]), "+f"(acc[8]), "+f"(acc[9]), "+f"(acc[10]),
                     "+f"(acc[11]), "+f"(acc[12]), "+f"(acc[13]), "+f"(acc[14]), "+f"(acc[15]), "+f"(acc[16]), "+f"(acc[17]), "+f"(acc[18]), "+f"(acc[19]), "+f"(acc[20]), "+f"(acc[21]),
                     "+f"(acc[22]), "+f"(acc[23]), "+f"(acc[24]), "+f"(acc[25]), "+f"(acc[26]), "+f"(acc[27]), "+f"(acc[28]), "+f"(acc[29]), "+f"(acc[30]), "+f"(acc[31])
                   : "l"(da), "l"(db));
    }
    asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
    asm volatile("wgmma.wait_group.sync.aligned 0;" ::: "memory");
    asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(shared_address(&empty[s])) : "memory");
  }
#pragma unroll
  for (int i = 0; i < 32; ++i) {
    const int row = 16 * warp + lane / 4 + 8 * (i / 2 % 2), col = 8 * (i / 4) + 2 * (lane % 4) + i % 2;
    sc[col / 32][row * 32 + ((col % 32 / 4) ^ (row & 7)) * 4 + col % 4] = acc[i];
  }
  asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
  __syncthreads();
  if (threadIdx.x == 0) {
    for (int h = 0; h < 2; ++h)
      asm volatile("cp.async.bulk.tensor.2d.global.shared::cta.tile.bulk_group [%0, {%1, %2}], [%3];" ::"l"(&c), "r"(blockIdx.x * 64 + 32 * h), "r"(blockIdx.y * 64),
                   "r"(shared_address(sc[h]))
                   : "memory");
    asm volatile("cp.async.bulk.commit_group;" ::: "memory");
    asm volatile("cp.async.bulk.wait_group 0;" ::: "memory");
  }
}
