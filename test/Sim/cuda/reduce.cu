// Sums, maxima and counts of rows: shuffles inside warps, shared memory between them, a last block that adds up (threadfence pattern).
extern "C" __global__ void row_sums(const float *x, float *sums, float *maxima, int n) {
  __shared__ float partial[32], peak[32];
  float s = 0, m = -INFINITY;
  for (int i = threadIdx.x; i < n; i += blockDim.x) {
    float v = x[blockIdx.x * n + i];
    s += v;
    m = fmaxf(m, v);
  }
  for (int o = 16; o; o >>= 1) {
    s += __shfl_xor_sync(0xffffffffu, s, o);
    m = fmaxf(m, __shfl_down_sync(0xffffffffu, m, o));
  }
  if (threadIdx.x % 32 == 0) {
    partial[threadIdx.x / 32] = s;
    peak[threadIdx.x / 32] = m;
  }
  __syncthreads();
  if (threadIdx.x < 32) {
    const bool mine = threadIdx.x < blockDim.x / 32;
    s = mine ? partial[threadIdx.x] : 0;
    m = mine ? peak[threadIdx.x] : -INFINITY;
    for (int o = 16; o; o >>= 1) {
      s += __shfl_down_sync(0xffffffffu, s, o);
      m = fmaxf(m, __shfl_xor_sync(0xffffffffu, m, o));
    }
    if (threadIdx.x == 0) {
      sums[blockIdx.x] = s;
      maxima[blockIdx.x] = m;
    }
  }
}

// A tree in shared memory; the last block to finish adds the blocks' sums.
extern "C" __global__ void total(const int *x, int *blocks, int *result, unsigned *ticket, int n) {
  __shared__ int tree[128];
  __shared__ bool last;
  int s = 0;
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x)
    s += x[i];
  tree[threadIdx.x] = s;
  __syncthreads();
  for (int o = 64; o; o >>= 1) {
    if (threadIdx.x < o)
      tree[threadIdx.x] += tree[threadIdx.x + o];
    __syncthreads();
  }
  if (threadIdx.x == 0) {
    blocks[blockIdx.x] = tree[0];
    __threadfence();
    last = atomicAdd(ticket, 1u) == gridDim.x - 1;
    __threadfence();
  }
  __syncthreads();
  if (last && threadIdx.x == 0) {
    int sum = 0;
    for (int b = 0; b < gridDim.x; ++b)
      sum += blocks[b];
    *result = sum;
  }
}

// Votes: how many values lie above the threshold, and in which lanes of each warp.
extern "C" __global__ void votes(const float *x, unsigned *masks, int *count, float threshold) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  const unsigned mask = __ballot_sync(0xffffffffu, x[i] > threshold);
  const int all = __syncthreads_count(x[i] > threshold);
  if (threadIdx.x % 32 == 0)
    masks[i / 32] = mask;
  if (threadIdx.x == 0)
    count[blockIdx.x] = all;
}
