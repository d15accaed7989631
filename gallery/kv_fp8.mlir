// Keys in E4M3 and values in E5M2, 8-bit floats with a scale for each head; decoding over what the cache holds.
// attn-run: --size i=1 --size j=4096
// attn-bench: --size b=8 --size h=8 --size i=1 --size j=8192
!t = tensor<?x?x?x64xf32>
!k = tensor<?x?x?x64xf8E4M3FN>
!v = tensor<?x?x?x64xf8E5M2>
attn.kernel @kv_fp8(%q: !t, %k: !k, %v: !v, %ks: tensor<?xf32>, %vs: tensor<?xf32>, %length: tensor<?xi32>) -> (o: !t, lse: tensor<?x?x?xf32>) {
  %o, %lse = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c]
    k = %k[b, h, j, c] as (%x, h = %h) { %s = attn.load %ks[%h] : tensor<?xf32>  %y = arith.mulf %x, %s : f32  attn.yield %y : f32 }
    v = %v[b, h, j, e] as (%x, h = %h) { %s = attn.load %vs[%h] : tensor<?xf32>  %y = arith.mulf %x, %s : f32  attn.yield %y : f32 }
    set = lengths<k = %length>
    outputs o[b, h, i, e], lse[b, h, i] : (!t, !k, !v) -> (!t, tensor<?x?x?xf32>)
  attn.return %o, %lse : !t, tensor<?x?x?xf32>
}
