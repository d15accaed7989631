// Parallel context encoding with the entropy of every row, the paper's measure (Zhang et al., Attention Entropy is a Key Factor, 2025).
// attn-run: --size n=512 --param all=5
!t = tensor<?x?x?x64xf32>
attn.kernel @parallel_context_entropy(%q: !t, %k: !t, %v: !t, %seg: tensor<?x?xi32>, %all: i32) -> (o: !t, lse: tensor<?x?x?xf32>, entropy: tensor<?x?x?xf32>) {
  %o, %lse, %entropy = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = causal<top_left> and shared_prefix<%seg, shared = 0, all = %all>
    reduce mean = weighted(%s) { attn.yield %s : f32 }
    epilogue(lse = %l, mean = %m) -> (entropy) {
      %zero = arith.constant 0.0 : f32  %d = arith.subf %l, %m : f32
      %e = arith.maximumf %d, %zero : f32  attn.yield %e : f32
    }
    outputs o[b, h, i, e], lse[b, h, i], entropy[b, h, i]
    : (!t, !t, !t) -> (!t, tensor<?x?x?xf32>, tensor<?x?x?xf32>)
  attn.return %o, %lse, %entropy : !t, tensor<?x?x?xf32>, tensor<?x?x?xf32>
}
