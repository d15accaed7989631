// ALiBi: causal, a bias linear in the distance with a slope per head, s + m_h (j - i) (Press et al., Train Short, Test Long, 2022).
!t = tensor<?x?x?x64xf32>
attn.kernel @alibi(%q: !t, %k: !t, %v: !t, %slopes: tensor<?xf32>) -> (o: !t, lse: tensor<?x?x?xf32>) {
  %o, %lse = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = causal<bottom_right> score(%s, h = %h, i = %i, j = %j) {
      %m = attn.load %slopes[%h] : tensor<?xf32>
      %d = arith.subi %j, %i : index
      %n = arith.index_cast %d : index to i64  %f = arith.sitofp %n : i64 to f32
      %x = arith.mulf %m, %f : f32
      %t = arith.addf %s, %x : f32
      attn.yield %t : f32
    } outputs o[b, h, i, e], lse[b, h, i] : (!t, !t, !t) -> (!t, tensor<?x?x?xf32>)
  attn.return %o, %lse : !t, tensor<?x?x?xf32>
}
