// A predicate of queries and keys, a sink, a slope and dropout of the head, all heads of all batch elements over the same keys.
!t = tensor<?x?x?x64xf32>
!kv = tensor<?x64xf32>
attn.kernel @where(%q: !t, %k: !kv, %v: !kv, %s: tensor<?x?xf32>, %sink: tensor<?xf32>, %limit: index, %seed: i64, %p: f32) -> (o: !t, lse: tensor<?x?x?xf32>) {
  %o, %lse = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[j, c] v = %v[j, e]
    set = where(i = %i, j = %j) { %d = arith.subi %i, %j : index  %x = arith.cmpi sle, %d, %limit : index  attn.yield %x : i1 } and causal<top_left>
    score(%x, b = %b, h = %h) { %m = attn.load %s[%b, %h] : tensor<?x?xf32>  %y = arith.mulf %x, %m : f32  attn.yield %y : f32 }
    dropout(seed = %seed, probability = %p)
    normalize = @softmax_sink(%sink[h])
    outputs o[b, h, i, e], lse[b, h, i] : (!t, !kv, !kv) -> (!t, tensor<?x?x?xf32>)
  attn.return %o, %lse : !t, tensor<?x?x?xf32>
}
