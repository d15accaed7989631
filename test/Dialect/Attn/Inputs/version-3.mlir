// One use of everything that version 3 brought to normalizers and attn.attend.
attn.normalizer @everything(%b, %w) {
  %m, %l = attn.pass ref = max
    gauge(%r0, %r1) {
      %d = arith.subf %r0, %r1 : f32
      %g = math.exp %d : f32
      attn.yield %g : f32
    } phi(%s, %r) {
      %d = arith.subf %s, %r : f32
      %p = math.exp %d : f32
      attn.yield %p, %p : f32, f32
    } seed {
      %one = arith.constant 1.0 : f32
      attn.yield %b, %one, %w : f32, f32, f32
    } sums(l = one of 1, c = count in 2)
    stat(%r, %l, %c) {
      attn.yield %r, %c : f32, f32
    }
  %x = attn.root
    phi(%s, %x) {
      %zero = arith.constant 0.0 : f32
      %d = arith.subf %s, %m : f32
      %y = arith.subf %d, %x : f32
      %p = arith.maximumf %y, %zero : f32
      attn.yield %p : f32
    } to {
      %c = arith.constant 1.0 : f32
      %lo = arith.constant -1.0 : f32
      %hi = arith.constant 0.0 : f32
      attn.yield %c, %lo, %hi : f32, f32, f32
    } at_most 12
  attn.pass ref = none
    phi(%s) {
      %d = arith.subf %s, %x : f32
      attn.yield %d : f32
    } sums(n = value in 1, a = one)
  attn.finish(%n, %a) {
    attn.yield %n, %a : f32, f32
  } outputs(o, a) empty(0.0, inf)
}
attn.normalizer @chosen {
  attn.select largest
  attn.finish(%s, %v) {
    attn.yield %v : f32
  } outputs(o) empty(0.0)
}
!t = tensor<?x?x64xf32>
!r = tensor<?x?xf32>
attn.kernel @attends(%q: !t, %k: !t, %v: !t, %b: !r, %x: f32) -> (y: !t, a: !r, d: !r, id: tensor<?x?xi32>, mass: !r, u: !t, p: tensor<?x?x?xf32>, o: !t, lse: !r) {
  %y, %a, %d, %id, %mass, %u, %p = attn.attend dims(b | i | j | c, e)
    q = %q[b, i, c] k = %k[b, j, c] v = %v[b, j, e]
    class(i = %i, j = %j) {
      %n = arith.subi %i, %j : index
      attn.yield %n : index
    }
    normalize = @everything(-0.25, %b[b floordiv 2, i])
    reduce d = weighted(%s, j = %j) {
      %n = arith.index_cast %j : index to i64
      %f = arith.sitofp %n : i64 to f32
      attn.yield %f : f32
    }
    reduce id = argmax
    columns mass = sum(%w, %s) {
      attn.yield %w : f32
    }
    aggregate u = %v[b, i, e]
    epilogue(o = %o, e = %e) -> (y) {
      %n = arith.index_cast %e : index to i64
      %f = arith.sitofp %n : i64 to f32
      %z = arith.mulf %o, %f : f32
      attn.yield %z : f32
    }
    outputs y[b, i, e], a[b, i], d[b, i], id[b, i], mass[b, j], u[b, j, e], p[b, i, j]
    : (!t, !t, !t) -> (!t, !r, !r, tensor<?x?xi32>, !r, !t, tensor<?x?x?xf32>)
  %o = attn.attend dims(b | i | j | c, e)
    q = %q[b, i, c] k = %k[b, j, c] v = %v[b, j, e]
    normalize = @chosen
    outputs o[b, i, e]
    : (!t, !t, !t) -> !t
  %lse = attn.attend dims(b | i | j | c)
    q = %q[b, i, c] k = %k[b, j, c]
    normalize = @softmax_sink(%x)
    outputs lse[b, i]
    : (!t, !t) -> !r
  attn.return %y, %a, %d, %id, %mass, %u, %p, %o, %lse : !t, !r, !r, tensor<?x?xi32>, !r, !t, tensor<?x?x?xf32>, !t, !r
}
