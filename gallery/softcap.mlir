// Causal attention with soft-capped scores, cap * tanh(s / cap) (Gemma Team, Gemma 2, 2024); cap is known at run time.
// attn-run: --param cap=50
!t = tensor<?x?x?x64xf32>
attn.kernel @softcap(%q: !t, %k: !t, %v: !t, %cap: f32) -> (o: !t, lse: tensor<?x?x?xf32>) {
  %o, %lse = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = causal<bottom_right> score(%s) {
      %x = arith.divf %s, %cap : f32
      %y = math.tanh %x : f32
      %t = arith.mulf %cap, %y : f32
      attn.yield %t : f32
    }
    outputs o[b, h, i, e], lse[b, h, i] : (!t, !t, !t) -> (!t, tensor<?x?x?xf32>)
  attn.return %o, %lse : !t, tensor<?x?x?xf32>
}
