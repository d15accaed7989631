// Self-attention of all-MiniLM-L6-v2 (12 heads of 32): padding keys are masked; real inputs are in test/data/minilm.
!t = tensor<?x?x?x32xf32>
attn.kernel @minilm(%q: !t, %k: !t, %v: !t, %mask: tensor<?x?xf32>) -> (o: !t, lse: tensor<?x?x?xf32>) {
  %o, %lse = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = mask<%mask[b, j]>
    normalize = @softmax
    outputs o[b, h, i, e], lse[b, h, i]
    : (!t, !t, !t) -> (!t, tensor<?x?x?xf32>)
  attn.return %o, %lse : !t, tensor<?x?x?xf32>
}
