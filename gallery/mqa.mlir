// Multi-query attention: all heads share one key and one value head (Shazeer, Fast Transformer Decoding, 2019).
!t = tensor<?x?x?x64xf32>
!kv = tensor<?x?x64xf32>
attn.kernel @mqa(%q: !t, %k: !kv, %v: !kv) -> (o: !t, lse: tensor<?x?x?xf32>) {
  %o, %lse = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, j, c] v = %v[b, j, e]
    set = causal<bottom_right>
    normalize = @softmax
    outputs o[b, h, i, e], lse[b, h, i]
    : (!t, !kv, !kv) -> (!t, tensor<?x?x?xf32>)
  attn.return %o, %lse : !t, tensor<?x?x?xf32>
}
