// Routing: a query sees the earlier keys of its own cluster (Roy et al., Routing Transformer, 2021).
// attn-run: --size n=64 --size keys.2=4 --size keys.3=16
!t = tensor<?x?x?x64xf32>
attn.kernel @routing(%q: !t, %k: !t, %v: !t, %cluster: tensor<?x?x?xi32>, %keys: tensor<?x?x?x?xi32>) -> (o: !t, lse: tensor<?x?x?xf32>) {
  %o, %lse = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = causal<top_left> and where(b = %b, h = %h, i = %i, j = %j) {
      %u = attn.load %cluster[%b, %h, %i] : tensor<?x?x?xi32>  %n = arith.index_cast %u : i32 to index
      %p = attn.member %j in %keys[%b, %h, %n] : tensor<?x?x?x?xi32>
      attn.yield %p : i1
    }
    outputs o[b, h, i, e], lse[b, h, i]
    : (!t, !t, !t) -> (!t, tensor<?x?x?xf32>)
  attn.return %o, %lse : !t, tensor<?x?x?xf32>
}
