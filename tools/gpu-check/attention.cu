// A kernel written by hand for gpu-check itself: causal attention (the last query sees the last key) in f32 with d = 64, as
// plain as can be, by the parameters that all kernels of this compiler have (attn_gpu.h). It is what a bundle can check where
// the compiler's own kernels are in doubt, and it has all that a launch can have: two kinds of loads, chunks with states,
// and a merge.
//
//   nvcc -ptx -arch=sm_80 attention.cu -o x.ptx && sed "s/^\.version .*/.version 7.4/" x.ptx > attention.ptx
enum { D = 64, ROWS = 32, BATCH = 0, HEADS, QUERIES, KEYS, Q = 6, K = 14, V = 22, O = 30, LSE = 38, WORDS = 44 };

struct Words {
  long long w[WORDS];
};

struct Row {
  long long b, h, i;
  int exists;
};

struct State { // of one CTA: ROWS of each, number by number, so that lanes write side by side
  float top[ROWS], sum[ROWS], o[D][ROWS];
};

static __device__ Row row_of(const Words &w, long long chunks) {
  const long long blocks = (w.w[QUERIES] + ROWS - 1) / ROWS, x = blockIdx.x, batch = x / blocks / chunks;
  Row r = {batch / w.w[HEADS], batch % w.w[HEADS], x % blocks * ROWS + threadIdx.x, 0};
  r.exists = r.i < w.w[QUERIES];
  return r;
}

static __device__ const float *at(const float *t, const Words &w, int tensor, long long b, long long h, long long n) {
  const long long *stride = w.w + tensor + 4;
  return t + b * stride[0] + h * stride[1] + n * stride[2];
}

template <bool aligned> static __device__ void load(float *to, const float *from, long long stride) {
#pragma unroll
  for (int c = 0; c < D; c += 4)
    if (aligned) {
      const float4 x = *reinterpret_cast<const float4 *>(from + c);
      to[c] = x.x, to[c + 1] = x.y, to[c + 2] = x.z, to[c + 3] = x.w;
    } else {
#pragma unroll
      for (int n = 0; n < 4; ++n)
        to[c + n] = from[(c + n) * stride];
    }
}

// Online softmax over keys [from, to).
template <bool aligned>
static __device__ void attend(const float *q, const float *k, const float *v, const Words &w, const Row &r, long long from, long long to, float &top, float &sum, float *o) {
  float x[D], y[D];
  load<aligned>(x, at(q, w, Q, r.b, r.h, r.i), w.w[Q + 7]);
  const float scale = 0.125f;
  for (long long j = from; j < to; ++j) {
    load<aligned>(y, at(k, w, K, r.b, r.h, j), w.w[K + 7]);
    float s = 0;
#pragma unroll
    for (int c = 0; c < D; ++c)
      s += x[c] * y[c];
    s *= scale;
    const float next = fmaxf(top, s), old = expf(top - next), p = expf(s - next);
    load<aligned>(y, at(v, w, V, r.b, r.h, j), w.w[V + 7]);
    sum = sum * old + p;
#pragma unroll
    for (int c = 0; c < D; ++c)
      o[c] = o[c] * old + p * y[c];
    top = next;
  }
}

static __device__ void finish(float *out, float *lse, const Words &w, const Row &r, float top, float sum, const float *o) {
  const long long *so = w.w + O + 4, *sl = w.w + LSE + 3;
  float *to = out + r.b * so[0] + r.h * so[1] + r.i * so[2];
#pragma unroll
  for (int c = 0; c < D; ++c)
    to[c * so[3]] = sum > 0 ? o[c] / sum : 0;
  if (lse)
    lse[r.b * sl[0] + r.h * sl[1] + r.i * sl[2]] = sum > 0 ? top + logf(sum) : -INFINITY;
}

static __device__ long long end_of(const Words &w, long long i) {
  const long long end = i + 1 + w.w[KEYS] - w.w[QUERIES];
  return end < 0 ? 0 : end;
}

template <bool aligned>
static __device__ void whole(const float *q, const float *k, const float *v, float *out, float *lse, const Words &w) {
  const Row r = row_of(w, 1);
  if (!r.exists)
    return;
  float top = -INFINITY, sum = 0, o[D] = {};
  attend<aligned>(q, k, v, w, r, 0, end_of(w, r.i), top, sum, o);
  finish(out, lse, w, r, top, sum, o);
}

extern "C" __global__ void __launch_bounds__(ROWS) attention_any(const float *q, const float *k, const float *v, float *out, float *lse, char *, const __grid_constant__ Words w) {
  whole<false>(q, k, v, out, lse, w);
}

extern "C" __global__ void __launch_bounds__(ROWS) attention_aligned(const float *q, const float *k, const float *v, float *out, float *lse, char *, const __grid_constant__ Words w) {
  whole<true>(q, k, v, out, lse, w);
}

enum { CHUNKS = 2 };

// Chunk 0 has the keys below half of all.
extern "C" __global__ void __launch_bounds__(ROWS) attention_split(const float *q, const float *k, const float *v, float *out, float *lse, char *workspace, const __grid_constant__ Words w) {
  const Row r = row_of(w, CHUNKS);
  const long long blocks = (w.w[QUERIES] + ROWS - 1) / ROWS, chunk = blockIdx.x / blocks % CHUNKS, half = w.w[KEYS] / 2;
  State *s = reinterpret_cast<State *>(workspace + 64) + blockIdx.x;
  float top = -INFINITY, sum = 0, o[D] = {};
  if (r.exists) {
    const long long end = end_of(w, r.i);
    attend<false>(q, k, v, w, r, chunk ? half : 0, chunk || end < half ? end : half, top, sum, o);
  }
  s->top[threadIdx.x] = top, s->sum[threadIdx.x] = sum;
#pragma unroll
  for (int c = 0; c < D; ++c)
    s->o[c][threadIdx.x] = o[c];
}

extern "C" __global__ void __launch_bounds__(ROWS) attention_merge(const float *q, const float *k, const float *v, float *out, float *lse, char *workspace, const __grid_constant__ Words w) {
  const Row r = row_of(w, 1);
  if (!r.exists)
    return;
  const long long blocks = (w.w[QUERIES] + ROWS - 1) / ROWS;
  const State *first = reinterpret_cast<State *>(workspace + 64) + blockIdx.x / blocks * CHUNKS * blocks + blockIdx.x % blocks;
  float top = -INFINITY, sum = 0, o[D] = {};
  for (int n = 0; n < CHUNKS; ++n)
    top = fmaxf(top, first[n * blocks].top[threadIdx.x]);
  for (int n = 0; n < CHUNKS; ++n) {
    const State &s = first[n * blocks];
    const float weight = s.sum[threadIdx.x] > 0 ? expf(s.top[threadIdx.x] - top) : 0;
    sum += weight * s.sum[threadIdx.x];
#pragma unroll
    for (int c = 0; c < D; ++c)
      o[c] += weight * s.o[c][threadIdx.x];
  }
  finish(out, lse, w, r, top, sum, o);
}
