// Hard retrieval: the value of the key with the largest score, and its index; ties go to the lowest (Xu et al., 2020).
!t = tensor<?x?x?x64xf32>
attn.kernel @hard_retrieval(%q: !t, %k: !t, %v: !t) -> (o: !t, id: tensor<?x?x?xi64>) {
  %o, %id = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = causal<bottom_right> scale = 1.0 normalize = @argmax
    reduce id = argmax
    outputs o[b, h, i, e], id[b, h, i]
    : (!t, !t, !t) -> (!t, tensor<?x?x?xi64>)
  attn.return %o, %id : !t, tensor<?x?x?xi64>
}
