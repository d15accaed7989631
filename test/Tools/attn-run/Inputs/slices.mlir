!t = tensor<?x?x32xf32>
!v = tensor<?x?x256xf32>
attn.kernel @slices(%q: !t, %k: !t, %v: !v) -> (o: !v) {
  %o = attn.attend dims(b | i | j | c, e) q = %q[b, i, c] k = %k[b, j, c] v = %v[b, j, e] set = causal<bottom_right> normalize = @softmax outputs o[b, i, e] : (!t, !t, !v) -> !v
  attn.return %o : !v
}
