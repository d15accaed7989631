// Probabilistic attention: Gaussian scores log pi_ij - alpha_j / 2 |q_i - k_j|^2, a precision per key and a prior (Gabbur et al., 2021).
// attn-run: --size n=128
!t = tensor<?x?x?x64xf32>
!r = tensor<?x?x?xf32>
attn.kernel @probabilistic(%q: !t, %k: !t, %v: !t, %alpha: !r, %logpi: !r) -> (o: !t, lse: !r) {
  %qq = attn.map dims(b, h, i, c) sum(c) (%x = %q[b, h, i, c]) { %y = arith.mulf %x, %x : f32  attn.yield %y : f32 } -> [b, h, i] : (!t) -> !r
  %kk = attn.map dims(b, h, j, c) sum(c) (%x = %k[b, h, j, c]) { %y = arith.mulf %x, %x : f32  attn.yield %y : f32 } -> [b, h, j] : (!t) -> !r
  %o, %lse = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    scale = 1.0 score(%s, b = %b, h = %h, i = %i, j = %j) {
      %x = attn.load %qq[%b, %h, %i] : !r  %y = attn.load %kk[%b, %h, %j] : !r  %a = attn.load %alpha[%b, %h, %j] : !r
      %n = arith.addf %x, %y : f32  %half = arith.constant 0.5 : f32  %m = arith.mulf %half, %n : f32
      %d = arith.subf %s, %m : f32  %w = arith.mulf %a, %d : f32
      %p = attn.load %logpi[%b, %i, %j] : !r  %t = arith.addf %w, %p : f32  attn.yield %t : f32
    }
    outputs o[b, h, i, e], lse[b, h, i] : (!t, !t, !t) -> (!t, !r)
  attn.return %o, %lse : !t, !r
}
