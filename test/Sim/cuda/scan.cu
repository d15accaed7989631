// Inclusive scan of each block's 256 values: shuffles in a warp, a scan of the warps' sums, and a stream compaction that uses it.
__device__ int warp_scan(int v) {
  for (int o = 1; o < 32; o *= 2) {
    const int other = __shfl_up_sync(0xffffffffu, v, o);
    if (threadIdx.x % 32 >= o)
      v += other;
  }
  return v;
}

__device__ int block_scan(int v, int *sums) {
  const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
  v = warp_scan(v);
  if (lane == 31)
    sums[warp] = v;
  __syncthreads();
  if (warp == 0 && lane < 8) {
    int s = sums[lane];
    for (int o = 1; o < 8; o *= 2) {
      const int other = __shfl_up_sync(0xffu, s, o);
      if (lane >= o)
        s += other;
    }
    sums[lane] = s;
  }
  __syncthreads();
  return v + (warp ? sums[warp - 1] : 0);
}

extern "C" __global__ void scan(const int *x, int *y) {
  __shared__ int sums[8];
  const int i = blockIdx.x * 256 + threadIdx.x;
  y[i] = block_scan(x[i], sums);
}

// Keeps the positive values of each block in order, and says how many there are.
extern "C" __global__ void compact(const int *x, int *y, int *count) {
  __shared__ int sums[8];
  __shared__ int kept[256];
  const int i = blockIdx.x * 256 + threadIdx.x;
  const int v = x[i];
  const int at = block_scan(v > 0, sums);
  kept[threadIdx.x] = 0;
  __syncthreads();
  if (v > 0)
    kept[at - 1] = v;
  __syncthreads();
  y[i] = kept[threadIdx.x];
  if (threadIdx.x == 255)
    count[blockIdx.x] = at;
}

// Transposes 32 x 32 tiles through padded shared memory, with volatile-free warp synchronization at the end.
extern "C" __global__ void transpose(const float *x, float *y, int n) {
  __shared__ float tile[32][33];
  const int c = blockIdx.x * 32 + threadIdx.x, r = blockIdx.y * 32 + threadIdx.y;
  for (int k = 0; k < 32; k += 8)
    tile[threadIdx.y + k][threadIdx.x] = x[(r + k) * n + c];
  __syncthreads();
  const int c2 = blockIdx.y * 32 + threadIdx.x, r2 = blockIdx.x * 32 + threadIdx.y;
  for (int k = 0; k < 32; k += 8)
    y[(r2 + k) * n + c2] = tile[threadIdx.x][threadIdx.y + k];
}
