// Rotary positions and ALiBi mixed by distance, s = a(i - j) (R q . R k) / sqrt d - b(i - j) m_h (i - j), a and b tables over the distance (our reading of the harmonic mix, 2410.18441).
// attn-run: --size a.0=2048 --size near.0=2048
!t = tensor<?x?x?x64xf32>
!c = tensor<?x?xf32>
!r = tensor<?xf32>
attn.kernel @rope_alibi(%q: !t, %k: !t, %v: !t, %cos: !c, %sin: !c, %a: !r, %near: !r, %slope: !r) -> (o: !t, lse: tensor<?x?x?xf32>) {
  %o, %lse = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] as (%x, b = %b, h = %h, i = %i, c = %c) {
      %half = arith.constant 32 : index  %all = arith.constant 64 : index  %d = arith.addi %c, %half : index  %other = arith.remui %d, %all : index  %f = arith.remui %c, %half : index
      %first = arith.cmpi ult, %c, %half : index  %co = attn.load %cos[%i, %f] : !c  %s = attn.load %sin[%i, %f] : !c  %m = arith.negf %s : f32  %si = arith.select %first, %m, %s : f32
      %u = attn.load %q[%b, %h, %i, %other] : !t  %y = arith.mulf %x, %co : f32  %z = arith.mulf %u, %si : f32  %r = arith.addf %y, %z : f32  attn.yield %r : f32 }
    k = %k[b, h, j, c] as (%x, b = %b, h = %h, j = %j, c = %c) {
      %half = arith.constant 32 : index  %all = arith.constant 64 : index  %d = arith.addi %c, %half : index  %other = arith.remui %d, %all : index  %f = arith.remui %c, %half : index
      %first = arith.cmpi ult, %c, %half : index  %co = attn.load %cos[%j, %f] : !c  %s = attn.load %sin[%j, %f] : !c  %m = arith.negf %s : f32  %si = arith.select %first, %m, %s : f32
      %u = attn.load %k[%b, %h, %j, %other] : !t  %y = arith.mulf %x, %co : f32  %z = arith.mulf %u, %si : f32  %r = arith.addf %y, %z : f32  attn.yield %r : f32 }
    v = %v[b, h, j, e] set = causal<top_left> score(%s, h = %h, i = %i, j = %j) {
      %n = arith.subi %i, %j : index  %w = attn.load %a[%n] : !r  %u = attn.load %near[%n] : !r  %m = attn.load %slope[%h] : !r
      %l = arith.index_cast %n : index to i64  %f = arith.sitofp %l : i64 to f32  %x = arith.mulf %m, %f : f32  %y = arith.mulf %u, %x : f32
      %z = arith.mulf %w, %s : f32  %t = arith.subf %z, %y : f32  attn.yield %t : f32
    } outputs o[b, h, i, e], lse[b, h, i] : (!t, !t, !t) -> (!t, tensor<?x?x?xf32>)
  attn.return %o, %lse : !t, tensor<?x?x?xf32>
}
