// Forgetting attention: causal, s + c_i - c_j, c the prefix sums of the log forget gates (Lin et al., Forgetting Transformer, 2025).
!t = tensor<?x?x?x64xf32>
attn.kernel @forgetting(%q: !t, %k: !t, %v: !t, %ci: tensor<?x?x?xf32>, %cj: tensor<?x?x?xf32>) -> (o: !t, lse: tensor<?x?x?xf32>) {
  %o, %lse = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = causal<bottom_right> score(%s, b = %b, h = %h, i = %i, j = %j) {
      %x = attn.load %ci[%b, %h, %i] : tensor<?x?x?xf32>
      %y = attn.load %cj[%b, %h, %j] : tensor<?x?x?xf32>
      %d = arith.subf %x, %y : f32
      %t = arith.addf %s, %d : f32  attn.yield %t : f32
    }
    outputs o[b, h, i, e], lse[b, h, i]
    : (!t, !t, !t) -> (!t, tensor<?x?x?xf32>)
  attn.return %o, %lse : !t, tensor<?x?x?xf32>
}
