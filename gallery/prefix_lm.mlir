// Prefix LM: a prompt of p[b] tokens seen by all, causal after it (Raffel et al., T5, 2020, figure 3).
!t = tensor<?x?x?x64xf32>
attn.kernel @prefix_lm(%q: !t, %k: !t, %v: !t, %p: tensor<?xi32>) -> (o: !t, lse: tensor<?x?x?xf32>) {
  %o, %lse = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = causal<bottom_right> or prefix<%p>
    normalize = @softmax
    outputs o[b, h, i, e], lse[b, h, i]
    : (!t, !t, !t) -> (!t, tensor<?x?x?xf32>)
  attn.return %o, %lse : !t, tensor<?x?x?xf32>
}
