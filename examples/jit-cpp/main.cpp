// Compiles attention from text at run time, with a head dimension that the program knows only then, and checks one row
// with plain loops.
#include "attn/Compiler/Compiler.h"

#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/raw_ostream.h"

#include <cmath>
#include <cstdlib>
#include <random>

/// Scores are capped at 30 by tanh: the part of the text that no fixed set of kernels would offer.
static const char *const text = R"(
!t = tensor<?x?x{0}xf32>
attn.kernel @capped(%q: !t, %k: !t, %v: !t) -> (o: !t) {{
  %o = attn.attend dims(h | i | j | c, e)
    q = %q[h, i, c] k = %k[h, j, c] v = %v[h, j, e]
    score(%s) {{
      %cap = arith.constant 30.0 : f32
      %x = arith.divf %s, %cap : f32
      %y = math.tanh %x : f32
      %z = arith.mulf %y, %cap : f32
      attn.yield %z : f32
    }
    outputs o[h, i, e]
    : (!t, !t, !t) -> (!t)
  attn.return %o : !t
}
)";

static attn_tensor tensor(std::vector<float> &data, int64_t heads, int64_t tokens, int64_t width) {
  attn_tensor t = {};
  t.data = data.data();
  t.code = ATTN_FLOAT, t.bits = 32, t.lanes = 1, t.rank = 3;
  t.shape[0] = heads, t.shape[1] = tokens, t.shape[2] = width;
  t.stride[0] = tokens * width, t.stride[1] = width, t.stride[2] = 1;
  return t;
}

/// The row of head 0, query 0 by definition; the largest difference from `o`.
static double errorOfFirstRow(const std::vector<float> &q, const std::vector<float> &k, const std::vector<float> &v,
                              const std::vector<float> &o, int64_t keys, int64_t width) {
  std::vector<double> p(keys);
  double sum = 0, worst = 0;
  for (int64_t j = 0; j < keys; ++j) {
    double s = 0;
    for (int64_t c = 0; c < width; ++c)
      s += double(q[c]) * k[j * width + c];
    sum += p[j] = std::exp(30 * std::tanh(s / std::sqrt(double(width)) / 30));
  }
  for (int64_t e = 0; e < width; ++e) {
    double expected = 0;
    for (int64_t j = 0; j < keys; ++j)
      expected += p[j] / sum * v[j * width + e];
    worst = std::max(worst, std::fabs(expected - o[e]));
  }
  return worst;
}

int main(int argc, char **argv) {
  int64_t heads = 2, queries = 20, keys = 33, width = argc > 1 ? std::atoll(argv[1]) : 48;
  auto kernel = attn::compile(llvm::formatv(text, width).str(), {}, "capped.mlir");
  if (!kernel) {
    llvm::errs() << llvm::toString(kernel.takeError()) << "\n";
    return 1;
  }

  std::vector<float> q(heads * queries * width), k(heads * keys * width), v(k.size()), o(q.size());
  std::mt19937 random(1);
  for (std::vector<float> *x : {&q, &k, &v})
    for (float &value : *x)
      value = std::uniform_real_distribution<float>(-1, 1)(random);

  attn_tensor args[] = {tensor(q, heads, queries, width), tensor(k, heads, keys, width), tensor(v, heads, keys, width),
                        tensor(o, heads, queries, width)};
  attn_call call = {};
  call.abi_version = ATTN_RT_ABI_VERSION;
  call.size = sizeof call;
  call.args = args;
  call.n_args = std::size(args);
  call.variant = -1;
  attn_status status = kernel->workspace(call, call.workspace_bytes);
  std::vector<char> workspace(call.workspace_bytes);
  call.workspace = workspace.data();
  if (status == ATTN_OK)
    status = kernel->run(call);
  if (status != ATTN_OK) {
    llvm::errs() << attn_status_name(status) << ": " << attn_status_string(status) << "\n";
    return 1;
  }
  double worst = errorOfFirstRow(q, k, v, o, keys, width);
  llvm::outs() << llvm::formatv("compiled in {0:f1} ms, the largest error is {1:e2}\n", kernel->compileMilliseconds(),
                                worst);
  return worst < 1e-5 ? 0 : 1;
}
