// One use of everything that version 4 brought to the operands of attn.attend.
!t = tensor<?x?x64xf32>
!r = tensor<?x?xf32>
!lat = tensor<?x?x96xbf16>
attn.kernel @attends(%q: !t, %qr: tensor<?x?x32xf8E4M3FN>, %lat: !lat, %k4: tensor<?x?x32xi8>, %table: tensor<?x?xi32>, %pool: tensor<?x16x64xf8E5M2>, %g: tensor<?x64x96xf32>, %w: tensor<?x64xf32>) -> (a: !t, d: !t, p: !t, lse: !r) {
  %a = attn.attend dims(b | i | j | c = 64, r = 32, e = 64)
    q = %q[b, i, c] | %qr[b, i, r] as (%x, r = %r) {
      %n = arith.index_cast %r : index to i32
      %f = arith.sitofp %n : i32 to f32
      %y = arith.mulf %x, %f : f32
      attn.yield %y : f32
    }
    k = %k4[b, j, c floordiv 2] as (%x : i8, j = %j) {
      %f = arith.sitofp %x : i8 to f32
      attn.yield %f : f32
    } | %lat[b, j, r + 64]
    v = %lat[b, j, e]
    set = causal<top_left>
    epilogue(o = %o) -> (a) { attn.yield %o : f32 }
    outputs a[b, i, e]
    : (!t, tensor<?x?x32xi8>, !lat, tensor<?x?x32xf8E4M3FN>, !lat) -> (!t)
  %d = attn.attend dims(b | i | j | c, e)
    q = %q[b, i, c] k = %q[b, j, c] v = %q[b, j, e]
    dot(%x, %y, b = %b, c = %c) {
      %s = arith.addf %x, %y : f32
      %t = math.tanh %s : f32
      %u = attn.load %w[%b, %c] : tensor<?x64xf32>
      %z = arith.mulf %t, %u : f32
      attn.yield %z : f32
    }
    outputs o[b, i, e]
    : (!t, !t, !t) -> (!t)
  %p = attn.attend dims(b | i | j | c = 64, e = 64)
    q = %q[b, i, c]
    k = %table[b, j floordiv 16] as (%x : i32, j = %j, c = %c) {
      %size = arith.constant 16 : index
      %n = arith.remui %j, %size : index
      %page = arith.index_cast %x : i32 to index
      %l = attn.load %pool[%page, %n, %c] : tensor<?x16x64xf8E5M2>
      %y = arith.extf %l : f8E5M2 to f32
      attn.yield %y : f32
    }
    v = %q[b, j, e]
    outputs o[b, i, e]
    : (!t, tensor<?x?xi32>, !t) -> (!t)
  %lse = attn.attend dims(b | i | j | c, r)
    q = %q[b, i, c] k = %lat[b, j, r]
    bilinear = %g[b, c, r]
    outputs lse[b, i]
    : (!t, !lat, tensor<?x64x96xf32>) -> (!r)
  attn.return %a, %d, %p, %lse : !t, !t, !t, !r
}
