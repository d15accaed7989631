// Parallel context encoding: pieces see themselves and segment 0, the question %all sees all; causal (Zhang et al., 2025).
// attn-run: --size n=512 --param all=5
!t = tensor<?x?x?x64xf32>
attn.kernel @parallel_context(%q: !t, %k: !t, %v: !t, %seg: tensor<?x?xi32>, %all: i32) -> (o: !t, lse: tensor<?x?x?xf32>) {
  %o, %lse = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = causal<top_left> and shared_prefix<%seg, shared = 0, all = %all>
    outputs o[b, h, i, e], lse[b, h, i]
    : (!t, !t, !t) -> (!t, tensor<?x?x?xf32>)
  attn.return %o, %lse : !t, tensor<?x?x?xf32>
}
