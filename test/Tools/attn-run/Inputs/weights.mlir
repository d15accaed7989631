!t = tensor<?x?x?x64xf32>
attn.kernel @weights(%q: !t, %k: !t, %v: !t) -> (o: !t, p: tensor<?x?x?x?xf32>) {
  %o, %p = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = causal<bottom_right>
    outputs o[b, h, i, e], p[b, h, i, j]
    : (!t, !t, !t) -> (!t, tensor<?x?x?x?xf32>)
  attn.return %o, %p : !t, tensor<?x?x?x?xf32>
}
