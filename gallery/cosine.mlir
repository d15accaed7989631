// Cosine attention: s = cos(q_i, k_j) / max(tau_h, 0.01) + bias_hij, the scores of Swin Transformer V2 (Liu et al., 2022).
!t = tensor<?x?x?x64xf32>
!r = tensor<?x?x?xf32>
attn.kernel @cosine(%q: !t, %k: !t, %v: !t, %tau: tensor<?xf32>, %bias: !r) -> (o: !t, lse: !r) {
  %qq = attn.map dims(b, h, i, c) sum(c) (%x = %q[b, h, i, c]) { %y = arith.mulf %x, %x : f32  attn.yield %y : f32 } -> [b, h, i] : (!t) -> !r
  %kk = attn.map dims(b, h, j, c) sum(c) (%x = %k[b, h, j, c]) { %y = arith.mulf %x, %x : f32  attn.yield %y : f32 } -> [b, h, j] : (!t) -> !r
  %o, %lse = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    scale = 1.0 score(%s, b = %b, h = %h, i = %i, j = %j) {
      %x = attn.load %qq[%b, %h, %i] : !r  %y = attn.load %kk[%b, %h, %j] : !r  %a = math.sqrt %x : f32  %c = math.sqrt %y : f32
      %eps = arith.constant 1.0e-12 : f32  %m = arith.maximumf %a, %eps : f32  %n = arith.maximumf %c, %eps : f32  // a zero vector has cosine 0
      %w = attn.load %tau[%h] : tensor<?xf32>  %low = arith.constant 0.01 : f32  %t = arith.maximumf %w, %low : f32
      %p = arith.mulf %m, %n : f32  %u = arith.mulf %p, %t : f32  %f = arith.divf %s, %u : f32
      %g = attn.load %bias[%h, %i, %j] : !r  %z = arith.addf %f, %g : f32  attn.yield %z : f32
    }
    outputs o[b, h, i, e], lse[b, h, i] : (!t, !t, !t) -> (!t, !r)
  attn.return %o, %lse : !t, !r
}
