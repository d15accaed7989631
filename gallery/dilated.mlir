// Dilated sliding window: every fourth token of 64 on either side (Beltagy et al., Longformer, 2020).
// attn-run: --size n=256
!t = tensor<?x?x?x64xf32>
attn.kernel @dilated(%q: !t, %k: !t, %v: !t) -> (o: !t, lse: tensor<?x?x?xf32>) {
  %o, %lse = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = window<top_left, left = 64, right = 64> and dilated<top_left, step = 4>
    outputs o[b, h, i, e], lse[b, h, i]
    : (!t, !t, !t) -> (!t, tensor<?x?x?xf32>)
  attn.return %o, %lse : !t, tensor<?x?x?xf32>
}
