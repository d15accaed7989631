// Coordinate attention: means along rows and along columns, a small shared layer with a folded norm and h-swish, two gates, y = x sigmoid(a_cy) sigmoid(b_cx) (Hou et al., 2021).
// attn-run: --size c=64 --size y=32 --size x=32 --size m=8
// attn-bench: --size b=64 --size c=192 --size y=56 --size x=56 --size m=8
!x = tensor<?x?x?x?xf32>
!r = tensor<?x?x?xf32>
!w = tensor<?x?xf32>
!v = tensor<?xf32>
attn.kernel @coordinate(%x: !x, %w1: !w, %b1: !v, %wh: !w, %bh: !v, %ww: !w, %bw: !v) -> (out: !x) {
  %ph = attn.map dims(b, c, y, x) sum(x) (%u = %x[b, c, y, x], x = %i) { %columns = attn.extent %i : f32  %m = arith.divf %u, %columns : f32  attn.yield %m : f32 } -> [b, c, y] : (!x) -> !r
  %pw = attn.map dims(b, c, y, x) sum(y) (%u = %x[b, c, y, x], y = %i) { %rows = attn.extent %i : f32  %m = arith.divf %u, %rows : f32  attn.yield %m : f32 } -> [b, c, x] : (!x) -> !r
  %uh = attn.map dims(b, m, y, c) sum(c) (%u = %ph[b, c, y], %w = %w1[m, c]) { %z = arith.mulf %u, %w : f32  attn.yield %z : f32 } -> [b, m, y] : (!r, !w) -> !r
  %uw = attn.map dims(b, m, x, c) sum(c) (%u = %pw[b, c, x], %w = %w1[m, c]) { %z = arith.mulf %u, %w : f32  attn.yield %z : f32 } -> [b, m, x] : (!r, !w) -> !r
  %ah = attn.map dims(b, c, y, m) sum(m) (%v = %uh[b, m, y], %a = %b1[m], %w = %wh[c, m]) {
    %t = arith.addf %v, %a : f32  %three = arith.constant 3.0 : f32  %six = arith.constant 6.0 : f32  %zero = arith.constant 0.0 : f32  %p = arith.addf %t, %three : f32
    %q = arith.maximumf %p, %zero : f32  %r = arith.minimumf %q, %six : f32  %s = arith.mulf %t, %r : f32  %h = arith.divf %s, %six : f32
    %z = arith.mulf %h, %w : f32  attn.yield %z : f32 } -> [b, c, y] : (!r, !v, !w) -> !r
  %aw = attn.map dims(b, c, x, m) sum(m) (%v = %uw[b, m, x], %a = %b1[m], %w = %ww[c, m]) {
    %t = arith.addf %v, %a : f32  %three = arith.constant 3.0 : f32  %six = arith.constant 6.0 : f32  %zero = arith.constant 0.0 : f32  %p = arith.addf %t, %three : f32
    %q = arith.maximumf %p, %zero : f32  %r = arith.minimumf %q, %six : f32  %s = arith.mulf %t, %r : f32  %h = arith.divf %s, %six : f32
    %z = arith.mulf %h, %w : f32  attn.yield %z : f32 } -> [b, c, x] : (!r, !v, !w) -> !r
  %out = attn.map dims(b, c, y, x) (%u = %x[b, c, y, x], %a = %ah[b, c, y], %p = %bh[c], %d = %aw[b, c, x], %q = %bw[c]) {
    %one = arith.constant 1.0 : f32  %s = arith.addf %a, %p : f32  %sn = arith.negf %s : f32  %se = math.exp %sn : f32  %s1 = arith.addf %one, %se : f32
    %t = arith.addf %d, %q : f32  %tn = arith.negf %t : f32  %te = math.exp %tn : f32  %t1 = arith.addf %one, %te : f32
    %f = arith.divf %u, %s1 : f32  %g = arith.divf %f, %t1 : f32  attn.yield %g : f32
  } -> [b, c, y, x] : (!x, !r, !v, !r, !v) -> !x
  attn.return %out : !x
}
