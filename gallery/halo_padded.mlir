// Blocked local attention with 3 rows and columns of padding around the image as keys, as given (Vaswani et al., HaloNet, 2021).
// attn-run: --size i=1024 --size j=1540
!t = tensor<?x?x?x64xf32>
attn.kernel @halo_padded(%q: !t, %k: !t, %v: !t) -> (o: !t, lse: tensor<?x?x?xf32>) {
  %o, %lse = attn.attend dims(b, h | i[?, 64] | j[?, 70] | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = halo<block = [8, 8], halo = [3, 3], padded>
    outputs o[b, h, i, e], lse[b, h, i]
    : (!t, !t, !t) -> (!t, tensor<?x?x?xf32>)
  attn.return %o, %lse : !t, tensor<?x?x?xf32>
}
