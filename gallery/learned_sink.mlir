// Attention with a learned sink: a logit per query head that takes part in the softmax and has no value (OpenAI, gpt-oss, 2025).
// attn-run: --size n=512
!t = tensor<?x?x?x64xf32>
attn.kernel @learned_sink(%q: !t, %k: !t, %v: !t, %b: tensor<?xf32>) -> (o: !t, lse: tensor<?x?x?xf32>) {
  %o, %lse = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h floordiv 8, j, c] v = %v[b, h floordiv 8, j, e]
    set = causal<bottom_right> normalize = @softmax_sink(%b[h])
    outputs o[b, h, i, e], lse[b, h, i]
    : (!t, !t, !t) -> (!t, tensor<?x?x?xf32>)
  attn.return %o, %lse : !t, tensor<?x?x?xf32>
}
