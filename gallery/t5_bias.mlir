// T5 relative position bias, decoder form: causal, unscaled scores plus table[bucket(i - j), h] (Raffel et al., T5, 2020).
!t = tensor<?x?x?x64xf32>
attn.kernel @t5_bias(%q: !t, %k: !t, %v: !t, %buckets: tensor<?xi32>, %table: tensor<32x?xf32>) -> (o: !t, lse: tensor<?x?x?xf32>) {
  %o, %lse = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = causal<bottom_right> score(%s, h = %h, i = %i, j = %j) {
      %zero = arith.constant 0 : index  %last = arith.constant 127 : index
      %d = arith.subi %i, %j : index
      %p = arith.maxsi %d, %zero : index  %r = arith.minsi %p, %last : index
      %u = attn.load %buckets[%r] : tensor<?xi32>  %n = arith.index_cast %u : i32 to index
      %x = attn.load %table[%n, %h] : tensor<32x?xf32>
      %t = arith.addf %s, %x : f32  attn.yield %t : f32
    } scale = 1.0 outputs o[b, h, i, e], lse[b, h, i] : (!t, !t, !t) -> (!t, tensor<?x?x?xf32>)
  attn.return %o, %lse : !t, tensor<?x?x?xf32>
}
