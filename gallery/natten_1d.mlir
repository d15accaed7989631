// Neighborhood attention, 1-D: the 7 tokens around, 7 at the ends too (Hassani et al., Neighborhood Attention Transformer, 2023).
// attn-run: --size n=128
!t = tensor<?x?x?x64xf32>
attn.kernel @natten_1d(%q: !t, %k: !t, %v: !t) -> (o: !t, lse: tensor<?x?x?xf32>) {
  %o, %lse = attn.attend dims(b, h | i[?] | j[?] | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = neighborhood<size = [7], dilation = [1], stride = [1], causal = [0]>
    outputs o[b, h, i, e], lse[b, h, i]
    : (!t, !t, !t) -> (!t, tensor<?x?x?xf32>)
  attn.return %o, %lse : !t, tensor<?x?x?xf32>
}
