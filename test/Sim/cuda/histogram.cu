// Atomics: a histogram privatized in shared memory, sums by float atomics, a maximum by compare-and-swap, a spin lock.
extern "C" __global__ void histogram(const unsigned char *x, unsigned *bins, int n) {
  __shared__ unsigned mine[64];
  for (int i = threadIdx.x; i < 64; i += blockDim.x)
    mine[i] = 0;
  __syncthreads();
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x)
    atomicAdd(&mine[x[i] % 64], 1u);
  __syncthreads();
  for (int i = threadIdx.x; i < 64; i += blockDim.x)
    if (mine[i])
      atomicAdd(&bins[i], mine[i]);
}

__device__ void atomic_max(float *at, float v) {
  unsigned *word = (unsigned *)at;
  unsigned old = atomicAdd(word, 0u);
  while (__uint_as_float(old) < v) {
    const unsigned seen = atomicCAS(word, old, __float_as_uint(v));
    if (seen == old)
      break;
    old = seen;
  }
}

extern "C" __global__ void extremes(const float *x, float *maximum, int *least, unsigned *flags, float *sum) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  atomic_max(maximum, x[i]);
  atomicMin(least, (int)(x[i] * 100.0f));
  atomicOr(flags, 1u << (i % 32));
  atomicAdd(sum, 1.0f);
}

// A lock that one lane of each warp takes: acquire by CAS and fence, release by fence and exchange.
extern "C" __global__ void locked(int *lock, int *value) {
  if (threadIdx.x % 32 == 0) {
    while (atomicCAS(lock, 0, 1) != 0)
      ;
    __threadfence();
    *value = *value * 3 + 1;
    __threadfence();
    atomicExch(lock, 0);
  }
}
