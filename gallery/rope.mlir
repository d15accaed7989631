// Rotary positions, given for every token: feature c turns with c + 32 by the angle of its position, from tables cos and sin (Su et al., RoFormer, 2021; halves as in Llama).
// attn-run: --size cos.0=64 --size sin.0=64
!t = tensor<?x?x?x64xf32>
attn.kernel @rope(%q: !t, %k: !t, %v: !t, %at: tensor<?x?xi32>, %cos: tensor<?x32xf32>, %sin: tensor<?x32xf32>) -> (o: !t, lse: tensor<?x?x?xf32>) {
  %o, %lse = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] as (%x, b = %b, h = %h, i = %i, c = %c) {
      %half = arith.constant 32 : index  %all = arith.constant 64 : index  %d = arith.addi %c, %half : index  %other = arith.remui %d, %all : index  %f = arith.remui %c, %half : index
      %n = attn.load %at[%b, %i] : tensor<?x?xi32>  %p = arith.index_cast %n : i32 to index  %first = arith.cmpi ult, %c, %half : index
      %co = attn.load %cos[%p, %f] : tensor<?x32xf32>  %s = attn.load %sin[%p, %f] : tensor<?x32xf32>  %m = arith.negf %s : f32  %si = arith.select %first, %m, %s : f32
      %u = attn.load %q[%b, %h, %i, %other] : !t  %y = arith.mulf %x, %co : f32  %z = arith.mulf %u, %si : f32  %r = arith.addf %y, %z : f32  attn.yield %r : f32 }
    k = %k[b, h, j, c] as (%x, b = %b, h = %h, j = %j, c = %c) {
      %half = arith.constant 32 : index  %all = arith.constant 64 : index  %d = arith.addi %c, %half : index  %other = arith.remui %d, %all : index  %f = arith.remui %c, %half : index
      %n = attn.load %at[%b, %j] : tensor<?x?xi32>  %p = arith.index_cast %n : i32 to index  %first = arith.cmpi ult, %c, %half : index
      %co = attn.load %cos[%p, %f] : tensor<?x32xf32>  %s = attn.load %sin[%p, %f] : tensor<?x32xf32>  %m = arith.negf %s : f32  %si = arith.select %first, %m, %s : f32
      %u = attn.load %k[%b, %h, %j, %other] : !t  %y = arith.mulf %x, %co : f32  %z = arith.mulf %u, %si : f32  %r = arith.addf %y, %z : f32  attn.yield %r : f32 }
    v = %v[b, h, j, e] set = causal<bottom_right>
    outputs o[b, h, i, e], lse[b, h, i] : (!t, !t, !t) -> (!t, tensor<?x?x?xf32>)
  attn.return %o, %lse : !t, tensor<?x?x?xf32>
}
