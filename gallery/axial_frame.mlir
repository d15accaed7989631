// Axial attention over the frames of a video, for every pixel (Ho et al., Axial Attention, 2019).
!t = tensor<?x?x?x?x?x64xf32>
!l = tensor<?x?x?x?x?xf32>
attn.kernel @axial_frame(%q: !t, %k: !t, %v: !t) -> (o: !t, lse: !l) {
  %o, %lse = attn.attend dims(b, y, x, h | i | j | c, e)
    q = %q[b, i, y, x, h, c] k = %k[b, j, y, x, h, c] v = %v[b, j, y, x, h, e]
    set = full
    outputs o[b, i, y, x, h, e], lse[b, i, y, x, h]
    : (!t, !t, !t) -> (!t, !l)
  attn.return %o, %lse : !t, !l
}
