// Padded batch: query and key lengths per batch row, causal by those lengths (Dao et al., FlashAttention, 2022, varlen).
// attn-run: --seed 4
!t = tensor<?x?x?x64xf32>
attn.kernel @varlen(%q: !t, %k: !t, %v: !t, %ql: tensor<?xi32>, %kl: tensor<?xi32>) -> (o: !t, lse: tensor<?x?x?xf32>) {
  %o, %lse = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = lengths<q = %ql, k = %kl> and causal<bottom_right, q = %ql, k = %kl>
    normalize = @softmax
    outputs o[b, h, i, e], lse[b, h, i]
    : (!t, !t, !t) -> (!t, tensor<?x?x?xf32>)
  attn.return %o, %lse : !t, tensor<?x?x?xf32>
}
