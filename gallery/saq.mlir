// Staircase quantization of one key head's cache: the newest tokens as they are, then 128 in 8 bits, 128 in 4 and all older ones in 2, keys with a scale for each channel and 32 tokens, values for each token.
// attn-run: --size i=1 --size h=8 --size k0.1=100 --size v0.1=100 --size k1.1=128 --size k2.1=128 --size k3.1=512 --size ks1.1=4 --size kz1.1=4 --size ks2.1=4 --size kz2.1=4 --size ks3.1=16 --size kz3.1=16
// attn-bench: --size i=1 --size h=32 --size k0.1=100 --size v0.1=100 --size k1.1=128 --size k2.1=128 --size k3.1=7680 --size ks1.1=4 --size kz1.1=4 --size ks2.1=4 --size kz2.1=4 --size ks3.1=240 --size kz3.1=240
!t = tensor<?x?x?x64xf32>
!f = tensor<?x?x64xf32>
!s = tensor<?x?xf32>
!r = tensor<?x?x?xf32>
!b1 = tensor<?x?x64xi8>
!b2 = tensor<?x?x32xi8>
!b3 = tensor<?x?x16xi8>
attn.kernel @saq(%q: !t, %k0: !f, %v0: !f, %k1: !b1, %v1: !b1, %ks1: tensor<?x?x64xf32>, %kz1: tensor<?x?x64xf32>, %vs1: !s, %vz1: !s, %k2: !b2, %v2: !b2, %ks2: tensor<?x?x64xf32>, %kz2: tensor<?x?x64xf32>, %vs2: !s, %vz2: !s, %k3: !b3, %v3: !b3, %ks3: tensor<?x?x64xf32>, %kz3: tensor<?x?x64xf32>, %vs3: !s, %vz3: !s) -> (o: !t, lse: !r) {
  %o0, %lse0 = attn.attend dims(b, h | i | j | c, e) q = %q[b, h, i, c] k = %k0[b, j, c] v = %v0[b, j, e]
    outputs o[b, h, i, e], lse[b, h, i] : (!t, !f, !f) -> (!t, !r)
  %o1, %lse1 = attn.attend dims(b, h | i | j | c, e) q = %q[b, h, i, c]
    k = %k1[b, j, c] as (%x : i8, b = %b, j = %j, c = %c) {
      %w = arith.extui %x : i8 to i32  %f = arith.sitofp %w : i32 to f32
      %size = arith.constant 32 : index  %g = arith.divui %j, %size : index  %s = attn.load %ks1[%b, %g, %c] : tensor<?x?x64xf32>  %z = attn.load %kz1[%b, %g, %c] : tensor<?x?x64xf32>
      %p = arith.mulf %f, %s : f32  %y = arith.addf %p, %z : f32  attn.yield %y : f32 }
    v = %v1[b, j, e] as (%x : i8, b = %b, j = %j) {
      %w = arith.extui %x : i8 to i32  %f = arith.sitofp %w : i32 to f32
      %s = attn.load %vs1[%b, %j] : !s  %z = attn.load %vz1[%b, %j] : !s
      %p = arith.mulf %f, %s : f32  %y = arith.addf %p, %z : f32  attn.yield %y : f32 }
    outputs o[b, h, i, e], lse[b, h, i] : (!t, !b1, !b1) -> (!t, !r)
  %o2, %lse2 = attn.attend dims(b, h | i | j | c = 64, e = 64) q = %q[b, h, i, c]
    k = %k2[b, j, c floordiv 2] as (%x : i8, b = %b, j = %j, c = %c) {
      %per = arith.constant 2 : index  %n = arith.remui %c, %per : index  %m = arith.index_cast %n : index to i32  %bits = arith.constant 4 : i32  %by = arith.muli %m, %bits : i32
      %u = arith.extui %x : i8 to i32  %d = arith.shrui %u, %by : i32  %low = arith.constant 15 : i32  %w = arith.andi %d, %low : i32  %f = arith.sitofp %w : i32 to f32
      %size = arith.constant 32 : index  %g = arith.divui %j, %size : index  %s = attn.load %ks2[%b, %g, %c] : tensor<?x?x64xf32>  %z = attn.load %kz2[%b, %g, %c] : tensor<?x?x64xf32>
      %p = arith.mulf %f, %s : f32  %y = arith.addf %p, %z : f32  attn.yield %y : f32 }
    v = %v2[b, j, e floordiv 2] as (%x : i8, b = %b, j = %j, e = %c) {
      %per = arith.constant 2 : index  %n = arith.remui %c, %per : index  %m = arith.index_cast %n : index to i32  %bits = arith.constant 4 : i32  %by = arith.muli %m, %bits : i32
      %u = arith.extui %x : i8 to i32  %d = arith.shrui %u, %by : i32  %low = arith.constant 15 : i32  %w = arith.andi %d, %low : i32  %f = arith.sitofp %w : i32 to f32
      %s = attn.load %vs2[%b, %j] : !s  %z = attn.load %vz2[%b, %j] : !s
      %p = arith.mulf %f, %s : f32  %y = arith.addf %p, %z : f32  attn.yield %y : f32 }
    outputs o[b, h, i, e], lse[b, h, i] : (!t, !b2, !b2) -> (!t, !r)
  %o3, %lse3 = attn.attend dims(b, h | i | j | c = 64, e = 64) q = %q[b, h, i, c]
    k = %k3[b, j, c floordiv 4] as (%x : i8, b = %b, j = %j, c = %c) {
      %per = arith.constant 4 : index  %n = arith.remui %c, %per : index  %m = arith.index_cast %n : index to i32  %bits = arith.constant 2 : i32  %by = arith.muli %m, %bits : i32
      %u = arith.extui %x : i8 to i32  %d = arith.shrui %u, %by : i32  %low = arith.constant 3 : i32  %w = arith.andi %d, %low : i32  %f = arith.sitofp %w : i32 to f32
      %size = arith.constant 32 : index  %g = arith.divui %j, %size : index  %s = attn.load %ks3[%b, %g, %c] : tensor<?x?x64xf32>  %z = attn.load %kz3[%b, %g, %c] : tensor<?x?x64xf32>
      %p = arith.mulf %f, %s : f32  %y = arith.addf %p, %z : f32  attn.yield %y : f32 }
    v = %v3[b, j, e floordiv 4] as (%x : i8, b = %b, j = %j, e = %c) {
      %per = arith.constant 4 : index  %n = arith.remui %c, %per : index  %m = arith.index_cast %n : index to i32  %bits = arith.constant 2 : i32  %by = arith.muli %m, %bits : i32
      %u = arith.extui %x : i8 to i32  %d = arith.shrui %u, %by : i32  %low = arith.constant 3 : i32  %w = arith.andi %d, %low : i32  %f = arith.sitofp %w : i32 to f32
      %s = attn.load %vs3[%b, %j] : !s  %z = attn.load %vz3[%b, %j] : !s
      %p = arith.mulf %f, %s : f32  %y = arith.addf %p, %z : f32  attn.yield %y : f32 }
    outputs o[b, h, i, e], lse[b, h, i] : (!t, !b3, !b3) -> (!t, !r)
  %o, %lse = attn.merge dims(b, h, i, e) @softmax (%o0, %lse0), (%o1, %lse1), (%o2, %lse2), (%o3, %lse3)
    -> ([b, h, i, e], [b, h, i]) : (!t, !r, !t, !r, !t, !r, !t, !r) -> (!t, !r)
  attn.return %o, %lse : !t, !r
}
