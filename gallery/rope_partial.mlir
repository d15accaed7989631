// Partial rotary positions: the first 32 of 64 features turn, c with c + 16, by the angle of the token's own index; the others carry no position (as in GPT-NeoX).
!t = tensor<?x?x?x64xf32>
attn.kernel @rope_partial(%q: !t, %k: !t, %v: !t, %cos: tensor<?x16xf32>, %sin: tensor<?x16xf32>) -> (o: !t, lse: tensor<?x?x?xf32>) {
  %o, %lse = attn.attend dims(b, h | i | j | c = 32, r = 32, e = 64)
    q = %q[b, h, i, c + 32] | %q[b, h, i, r] as (%x, b = %b, h = %h, i = %i, r = %c) {
      %half = arith.constant 16 : index  %all = arith.constant 32 : index  %d = arith.addi %c, %half : index  %other = arith.remui %d, %all : index  %f = arith.remui %c, %half : index
      %first = arith.cmpi ult, %c, %half : index  %co = attn.load %cos[%i, %f] : tensor<?x16xf32>  %s = attn.load %sin[%i, %f] : tensor<?x16xf32>
      %m = arith.negf %s : f32  %si = arith.select %first, %m, %s : f32
      %u = attn.load %q[%b, %h, %i, %other] : !t  %y = arith.mulf %x, %co : f32  %z = arith.mulf %u, %si : f32  %r = arith.addf %y, %z : f32  attn.yield %r : f32 }
    k = %k[b, h, j, c + 32] | %k[b, h, j, r] as (%x, b = %b, h = %h, j = %j, r = %c) {
      %half = arith.constant 16 : index  %all = arith.constant 32 : index  %d = arith.addi %c, %half : index  %other = arith.remui %d, %all : index  %f = arith.remui %c, %half : index
      %first = arith.cmpi ult, %c, %half : index  %co = attn.load %cos[%j, %f] : tensor<?x16xf32>  %s = attn.load %sin[%j, %f] : tensor<?x16xf32>
      %m = arith.negf %s : f32  %si = arith.select %first, %m, %s : f32
      %u = attn.load %k[%b, %h, %j, %other] : !t  %y = arith.mulf %x, %co : f32  %z = arith.mulf %u, %si : f32  %r = arith.addf %y, %z : f32  attn.yield %r : f32 }
    v = %v[b, h, j, e] set = causal<bottom_right>
    outputs o[b, h, i, e], lse[b, h, i] : (!t, !t, !t, !t, !t) -> (!t, tensor<?x?x?xf32>)
  attn.return %o, %lse : !t, tensor<?x?x?xf32>
}
