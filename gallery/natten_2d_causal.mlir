// Neighborhood attention, causal along the rows (Hassani et al., Faster Neighborhood Attention, 2024).
// attn-run: --size n=896
!t = tensor<?x?x?x64xf32>
attn.kernel @natten_2d_causal(%q: !t, %k: !t, %v: !t) -> (o: !t, lse: tensor<?x?x?xf32>) {
  %o, %lse = attn.attend dims(b, h | i[?, 56] | j[?, 56] | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = neighborhood<size = [7, 7], dilation = [1, 1], stride = [1, 1], causal = [1, 0]>
    outputs o[b, h, i, e], lse[b, h, i]
    : (!t, !t, !t) -> (!t, tensor<?x?x?xf32>)
  attn.return %o, %lse : !t, tensor<?x?x?xf32>
}
