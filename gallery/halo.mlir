// Blocked local attention: the block of 8 x 8 pixels and 3 around it, cut at the border (Vaswani et al., HaloNet, 2021).
// attn-run: --size n=1024
!t = tensor<?x?x?x64xf32>
attn.kernel @halo(%q: !t, %k: !t, %v: !t) -> (o: !t, lse: tensor<?x?x?xf32>) {
  %o, %lse = attn.attend dims(b, h | i[?, 64] | j[?, 64] | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = halo<block = [8, 8], halo = [3, 3]>
    outputs o[b, h, i, e], lse[b, h, i]
    : (!t, !t, !t) -> (!t, tensor<?x?x?xf32>)
  attn.return %o, %lse : !t, tensor<?x?x?xf32>
}
