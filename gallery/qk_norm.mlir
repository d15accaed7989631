// Query and key norm: both divided by their root mean square over the head's features, times a learned gain for each feature, before anything else (Henry et al., 2020; as in Qwen3 and OLMo 2).
!t = tensor<?x?x?x64xf32>
!r = tensor<?x?x?xf32>
attn.kernel @qk_norm(%q: !t, %k: !t, %v: !t, %gq: tensor<64xf32>, %gk: tensor<64xf32>) -> (o: !t, lse: !r) {
  %qq = attn.map dims(b, h, i, c) sum(c) (%x = %q[b, h, i, c]) { %y = arith.mulf %x, %x : f32  attn.yield %y : f32 } -> [b, h, i] : (!t) -> !r
  %kk = attn.map dims(b, h, j, c) sum(c) (%x = %k[b, h, j, c]) { %y = arith.mulf %x, %x : f32  attn.yield %y : f32 } -> [b, h, j] : (!t) -> !r
  %o, %lse = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] as (%x, b = %b, h = %h, i = %i, c = %c) {
      %s = attn.load %qq[%b, %h, %i] : !r  %n = arith.constant 64.0 : f32  %m = arith.divf %s, %n : f32  %eps = arith.constant 1.0e-6 : f32  %a = arith.addf %m, %eps : f32
      %g = attn.load %gq[%c] : tensor<64xf32>  %r = math.sqrt %a : f32  %y = arith.divf %x, %r : f32  %z = arith.mulf %y, %g : f32  attn.yield %z : f32 }
    k = %k[b, h, j, c] as (%x, b = %b, h = %h, j = %j, c = %c) {
      %s = attn.load %kk[%b, %h, %j] : !r  %n = arith.constant 64.0 : f32  %m = arith.divf %s, %n : f32  %eps = arith.constant 1.0e-6 : f32  %a = arith.addf %m, %eps : f32
      %g = attn.load %gk[%c] : tensor<64xf32>  %r = math.sqrt %a : f32  %y = arith.divf %x, %r : f32  %z = arith.mulf %y, %g : f32  attn.yield %z : f32 }
    v = %v[b, h, j, e] set = causal<bottom_right>
    outputs o[b, h, i, e], lse[b, h, i] : (!t, !t, !t) -> (!t, !r)
  attn.return %o, %lse : !t, !r
}
