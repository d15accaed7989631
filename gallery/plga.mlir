// Power law graph attention with its graph in the cache: s = q G k / sqrt d, a matrix for every batch row and head between query and key (Gokden, PLDR-LLM, 2025).
// attn-run: --size n=64
// attn-bench: --size n=1024 --size b=2 --size h=14
!t = tensor<?x?x?x64xf32>
!g = tensor<?x?x64x64xf32>
attn.kernel @plga(%q: !t, %k: !t, %v: !t, %g: !g) -> (o: !t, lse: tensor<?x?x?xf32>) {
  %o, %lse = attn.attend dims(b, h | i | j | c, r, e)
    q = %q[b, h, i, c] k = %k[b, h, j, r] v = %v[b, h, j, e] bilinear = %g[b, h, c, r]
    set = causal<bottom_right>
    outputs o[b, h, i, e], lse[b, h, i]
    : (!t, !t, !t, !g) -> (!t, tensor<?x?x?xf32>)
  attn.return %o, %lse : !t, tensor<?x?x?xf32>
}
