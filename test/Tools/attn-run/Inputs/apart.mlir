!t = tensor<?x?x?x64xf32>
attn.kernel @apart(%q: !t, %k: !t, %v: !t, %m: tensor<?x?x?xi8>) -> (o: !t) {
  %o = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h floordiv 4, j, c] v = %v[b, h floordiv 4, j, e]
    set = mask<%m[h, i, j]>
    outputs o[b, h, i, e] : (!t, !t, !t) -> !t
  attn.return %o : !t
}
