// Neighborhood attention of a video: causal in time, windows of 4 x 5 x 5, strided (Hassani et al., Generalized Neighborhood Attention, 2025).
// attn-run: --size n=1024
!t = tensor<?x?x?x64xf32>
attn.kernel @natten_3d(%q: !t, %k: !t, %v: !t) -> (o: !t, lse: tensor<?x?x?xf32>) {
  %o, %lse = attn.attend dims(b, h | i[?, 16, 16] | j[?, 16, 16] | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = neighborhood<size = [4, 5, 5], dilation = [1, 2, 1], stride = [1, 1, 2], causal = [1, 0, 0]>
    outputs o[b, h, i, e], lse[b, h, i]
    : (!t, !t, !t) -> (!t, tensor<?x?x?xf32>)
  attn.return %o, %lse : !t, tensor<?x?x?xf32>
}
