// Axial attention within the columns of an image, causal, a strided axis (Ho et al., Axial Attention, 2019).
!t = tensor<?x?x?x?x64xf32>
!l = tensor<?x?x?x?xf32>
attn.kernel @axial_column(%q: !t, %k: !t, %v: !t) -> (o: !t, lse: !l) {
  %o, %lse = attn.attend dims(b, x, h | i | j | c, e)
    q = %q[b, i, x, h, c] k = %k[b, j, x, h, c] v = %v[b, j, x, h, e]
    set = causal<top_left>
    outputs o[b, i, x, h, e], lse[b, i, x, h]
    : (!t, !t, !t) -> (!t, !l)
  attn.return %o, %lse : !t, !l
}
