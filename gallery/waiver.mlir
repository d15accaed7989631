// Waiver: causal, but token %w sees itself alone, so that the mass of others may rest there (Yan et al., 2024).
// attn-run: --size n=64 --param w=20
!t = tensor<?x?x?x64xf32>
attn.kernel @waiver(%q: !t, %k: !t, %v: !t, %w: index) -> (o: !t, lse: tensor<?x?x?xf32>) {
  %o, %lse = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = causal<top_left> minus (not_self<top_left> and where(i = %i) {
      %p = arith.cmpi eq, %i, %w : index
      attn.yield %p : i1
    })
    outputs o[b, h, i, e], lse[b, h, i]
    : (!t, !t, !t) -> (!t, tensor<?x?x?xf32>)
  attn.return %o, %lse : !t, tensor<?x?x?xf32>
}
