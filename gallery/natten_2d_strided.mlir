// Strided neighborhood attention: 2 x 4 queries share a window of 8 x 8 (Hassani et al., Generalized Neighborhood Attention, 2025).
// attn-run: --size n=1024
!t = tensor<?x?x?x64xf32>
attn.kernel @natten_2d_strided(%q: !t, %k: !t, %v: !t) -> (o: !t, lse: tensor<?x?x?xf32>) {
  %o, %lse = attn.attend dims(b, h | i[?, 64] | j[?, 64] | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = neighborhood<size = [8, 8], dilation = [1, 1], stride = [2, 4], causal = [0, 0]>
    outputs o[b, h, i, e], lse[b, h, i]
    : (!t, !t, !t) -> (!t, tensor<?x?x?xf32>)
  attn.return %o, %lse : !t, tensor<?x?x?xf32>
}
