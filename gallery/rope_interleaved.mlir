// Rotary positions, interleaved: features 2 f and 2 f + 1 turn by the angle of the token's position (Su et al., RoFormer, 2021; pairs as there and in GPT-J).
// attn-run: --size cos.0=64 --size sin.0=64
!t = tensor<?x?x?x64xf32>
attn.kernel @rope_interleaved(%q: !t, %k: !t, %v: !t, %at: tensor<?x?xi32>, %cos: tensor<?x32xf32>, %sin: tensor<?x32xf32>) -> (o: !t, lse: tensor<?x?x?xf32>) {
  %o, %lse = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] as (%x, b = %b, h = %h, i = %i, c = %c) {
      %two = arith.constant 2 : index  %f = arith.divui %c, %two : index  %odd = arith.remui %c, %two : index  %bit = arith.constant 1 : index  %other = arith.xori %c, %bit : index
      %zero = arith.constant 0 : index  %first = arith.cmpi eq, %odd, %zero : index  %n = attn.load %at[%b, %i] : tensor<?x?xi32>  %p = arith.index_cast %n : i32 to index
      %co = attn.load %cos[%p, %f] : tensor<?x32xf32>  %s = attn.load %sin[%p, %f] : tensor<?x32xf32>  %m = arith.negf %s : f32  %si = arith.select %first, %m, %s : f32
      %u = attn.load %q[%b, %h, %i, %other] : !t  %y = arith.mulf %x, %co : f32  %z = arith.mulf %u, %si : f32  %r = arith.addf %y, %z : f32  attn.yield %r : f32 }
    k = %k[b, h, j, c] as (%x, b = %b, h = %h, j = %j, c = %c) {
      %two = arith.constant 2 : index  %f = arith.divui %c, %two : index  %odd = arith.remui %c, %two : index  %bit = arith.constant 1 : index  %other = arith.xori %c, %bit : index
      %zero = arith.constant 0 : index  %first = arith.cmpi eq, %odd, %zero : index  %n = attn.load %at[%b, %j] : tensor<?x?xi32>  %p = arith.index_cast %n : i32 to index
      %co = attn.load %cos[%p, %f] : tensor<?x32xf32>  %s = attn.load %sin[%p, %f] : tensor<?x32xf32>  %m = arith.negf %s : f32  %si = arith.select %first, %m, %s : f32
      %u = attn.load %k[%b, %h, %j, %other] : !t  %y = arith.mulf %x, %co : f32  %z = arith.mulf %u, %si : f32  %r = arith.addf %y, %z : f32  attn.yield %r : f32 }
    v = %v[b, h, j, e] set = causal<bottom_right>
    outputs o[b, h, i, e], lse[b, h, i] : (!t, !t, !t) -> (!t, tensor<?x?x?xf32>)
  attn.return %o, %lse : !t, tensor<?x?x?xf32>
}
