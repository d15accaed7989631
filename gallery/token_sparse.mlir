// Token sparse attention: kept tokens alone, per head, as queries and as keys; other rows are 0 (the attention of Token Sparse Attention).
// attn-run: --size n=64 --size kept.2=32
!t = tensor<?x?x?x64xf32>
attn.kernel @token_sparse(%q: !t, %k: !t, %v: !t, %kept: tensor<?x?x?xi32>) -> (o: !t, lse: tensor<?x?x?xf32>) {
  %o, %lse = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = tokens<%kept[b, h], sorted, unique> and causal<top_left> and where(b = %b, h = %h, i = %i) {
      %p = attn.member %i in %kept[%b, %h] : tensor<?x?x?xi32>
      attn.yield %p : i1
    }
    outputs o[b, h, i, e], lse[b, h, i]
    : (!t, !t, !t) -> (!t, tensor<?x?x?xf32>)
  attn.return %o, %lse : !t, tensor<?x?x?xf32>
}
