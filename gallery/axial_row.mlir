// Axial attention within the rows of an image, by a map and without a transpose (Ho et al., Axial Attention, 2019).
!t = tensor<?x?x?x?x64xf32>
!l = tensor<?x?x?x?xf32>
attn.kernel @axial_row(%q: !t, %k: !t, %v: !t) -> (o: !t, lse: !l) {
  %o, %lse = attn.attend dims(b, y, h | i | j | c, e)
    q = %q[b, y, i, h, c] k = %k[b, y, j, h, c] v = %v[b, y, j, h, e]
    set = full
    outputs o[b, y, i, h, e], lse[b, y, i, h]
    : (!t, !t, !t) -> (!t, !l)
  attn.return %o, %lse : !t, !l
}
