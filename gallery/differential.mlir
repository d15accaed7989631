// Differential attention: (softmax(q1 k1) - lambda softmax(q2 k2)) v, RMS norm per head, times 1 - lambda0; t is which of the two scores (Ye et al., Differential Transformer, 2025).
// attn-run: --param lambda=0.5 --param lambda0=0.2
!q = tensor<?x?x2x?x64xf32>
!t = tensor<?x?x?x64xf32>
!r = tensor<?x?x?xf32>
attn.kernel @differential(%q: !q, %k: !q, %v: !t, %gain: tensor<64xf32>, %lambda: f32, %lambda0: f32) -> (o: !t) {
  %a = attn.attend dims(b, h, t | i | j | c, e) q = %q[b, h, t, i, c] k = %k[b, h, t, j, c] v = %v[b, h, j, e]
    set = causal<bottom_right> outputs o[b, h, t, i, e] : (!q, !q, !t) -> !q
  %d = attn.map dims(b, h, i, e) (%x = %a[b, h, 0, i, e], %y = %a[b, h, 1, i, e]) {
    %m = arith.mulf %lambda, %y : f32  %z = arith.subf %x, %m : f32  attn.yield %z : f32
  } -> [b, h, i, e] : (!q, !q) -> !t
  %ss = attn.map dims(b, h, i, e) sum(e) (%x = %d[b, h, i, e]) { %y = arith.mulf %x, %x : f32  attn.yield %y : f32 } -> [b, h, i] : (!t) -> !r
  %o = attn.map dims(b, h, i, e) (%x = %d[b, h, i, e], %s = %ss[b, h, i], %g = %gain[e], e = %e) {
    %n = attn.extent %e : f32  %mean = arith.divf %s, %n : f32  %eps = arith.constant 1.0e-5 : f32  %t = arith.addf %mean, %eps : f32
    %r = math.sqrt %t : f32  %y = arith.divf %x, %r : f32  %one = arith.constant 1.0 : f32  %k0 = arith.subf %one, %lambda0 : f32
    %w = arith.mulf %g, %k0 : f32  %z = arith.mulf %y, %w : f32  attn.yield %z : f32
  } -> [b, h, i, e] : (!t, !r, tensor<64xf32>) -> !t
  attn.return %o : !t
}
