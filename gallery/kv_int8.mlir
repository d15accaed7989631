// Keys and values in 8 bits with a scale for every token and head, dequantized where they are loaded; decoding over what the cache holds.
// attn-run: --size i=1 --size j=4096
// attn-bench: --size b=8 --size h=8 --size i=1 --size j=8192
!t = tensor<?x?x?x64xf32>
!k = tensor<?x?x?x64xi8>
!s = tensor<?x?x?xf32>
attn.kernel @kv_int8(%q: !t, %k: !k, %v: !k, %ks: !s, %vs: !s, %length: tensor<?xi32>) -> (o: !t, lse: !s) {
  %o, %lse = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c]
    k = %k[b, h, j, c] as (%x : i8, b = %b, h = %h, j = %j) { %f = arith.sitofp %x : i8 to f32  %s = attn.load %ks[%b, %h, %j] : !s  %y = arith.mulf %f, %s : f32  attn.yield %y : f32 }
    v = %v[b, h, j, e] as (%x : i8, b = %b, h = %h, j = %j) { %f = arith.sitofp %x : i8 to f32  %s = attn.load %vs[%b, %h, %j] : !s  %y = arith.mulf %f, %s : f32  attn.yield %y : f32 }
    set = lengths<k = %length>
    outputs o[b, h, i, e], lse[b, h, i] : (!t, !k, !k) -> (!t, !s)
  attn.return %o, %lse : !t, !s
}
