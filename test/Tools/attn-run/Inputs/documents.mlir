// Documents whose segments are promised to ascend.
!t = tensor<?x?x?x64xf32>
attn.kernel @documents(%q: !t, %k: !t, %v: !t, %seg: tensor<?x?xi32> {attn.sorted}) -> (o: !t, lse: tensor<?x?x?xf32>) {
  %o, %lse = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = same_segment<%seg> and causal<bottom_right>
    outputs o[b, h, i, e], lse[b, h, i]
    : (!t, !t, !t) -> (!t, tensor<?x?x?xf32>)
  attn.return %o, %lse : !t, tensor<?x?x?xf32>
}
