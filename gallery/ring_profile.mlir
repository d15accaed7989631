// Ring profile of a vision transformer's heads: attention mass by the distance between patches, in rings 0, 1, 2 and beyond (label -1: no patch).
// attn-run: --size n=197
!t = tensor<?x?x?x64xf32>
!r = tensor<?x?x?xf32>
attn.kernel @ring_profile(%q: !t, %k: !t, %v: !t, %ring: tensor<?x?xi32>) -> (o: !t, ring0: !r, ring1: !r, ring2: !r, ring3: !r) {
  %o, %ring0, %ring1, %ring2, %ring3 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    reduce ring0 = weighted(%s, i = %i, j = %j) { %x = attn.load %ring[%i, %j] : tensor<?x?xi32>  %c = arith.constant 0 : i32
      %p = arith.cmpi eq, %x, %c : i32  %f = arith.uitofp %p : i1 to f32  attn.yield %f : f32 }
    reduce ring1 = weighted(%s, i = %i, j = %j) { %x = attn.load %ring[%i, %j] : tensor<?x?xi32>  %c = arith.constant 1 : i32
      %p = arith.cmpi eq, %x, %c : i32  %f = arith.uitofp %p : i1 to f32  attn.yield %f : f32 }
    reduce ring2 = weighted(%s, i = %i, j = %j) { %x = attn.load %ring[%i, %j] : tensor<?x?xi32>  %c = arith.constant 2 : i32
      %p = arith.cmpi eq, %x, %c : i32  %f = arith.uitofp %p : i1 to f32  attn.yield %f : f32 }
    reduce ring3 = weighted(%s, i = %i, j = %j) { %x = attn.load %ring[%i, %j] : tensor<?x?xi32>  %c = arith.constant 3 : i32
      %p = arith.cmpi sge, %x, %c : i32  %f = arith.uitofp %p : i1 to f32  attn.yield %f : f32 }
    outputs o[b, h, i, e], ring0[b, h, i], ring1[b, h, i], ring2[b, h, i], ring3[b, h, i]
    : (!t, !t, !t) -> (!t, !r, !r, !r, !r)
  attn.return %o, %ring0, %ring1, %ring2, %ring3 : !t, !r, !r, !r, !r
}
