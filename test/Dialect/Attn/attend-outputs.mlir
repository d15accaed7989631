// RUN: %attn-opt %s --split-input-file | FileCheck %s
// RUN: %attn-opt %s --split-input-file --mlir-print-op-generic | %attn-opt --split-input-file | FileCheck %s
// RUN: %attn-opt %s --split-input-file --verify-roundtrip -o %t
// RUN: %attn-opt %s --split-input-file --attn-link-normalizers -o %t

// What comes out of an attend: arguments of the normalizer, classes, reductions, epilogues, columns, weights.

!t = tensor<?x?x?x64xf32>

// CHECK-LABEL: attn.kernel @arguments(
// CHECK: normalize = @clipped(1.030000e+00, %g)
// CHECK: normalize = @softmax_sink(%b[h floordiv 2, 3, i])
// CHECK: normalize = @relu2_sum(%x[2], %b[b, h, i])
attn.kernel @arguments(%q: !t, %k: !t, %v: !t, %g: f32, %b: tensor<?x?x?xf32>, %x: tensor<4xf32>) -> (o: !t, p: !t, r: !t) {
  %o = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    normalize = @clipped(1.03, %g)
    outputs o[b, h, i, e]
    : (!t, !t, !t) -> !t
  %p = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    normalize = @softmax_sink(%b[h floordiv 2, 3, i])
    outputs o[b, h, i, e]
    : (!t, !t, !t) -> !t
  %r = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    normalize = @relu2_sum(%x[2], %b[b, h, i])
    outputs o[b, h, i, e]
    : (!t, !t, !t) -> !t
  attn.return %o, %p, %r : !t, !t, !t
}

// -----

// Numbers in regions of f64 operands are f64; a normalizer stays in f32, which stands for it.
// CHECK-LABEL: attn.kernel @doubles(
// CHECK: normalize = @sigmoid(%x)
// CHECK: reduce a = weighted(%{{.*}} : f64, j = %{{.*}}) {
// CHECK: reduce m = max{{$}}
// CHECK: columns mass = sum(%{{.*}} : f64, %{{.*}} : f64) {
// CHECK: aggregate t = %v[i, e]
// CHECK: epilogue(o = %{{.*}} : f64, m = %{{.*}} : f64, e = %{{.*}}) -> (y) {
// CHECK: outputs y[i, e], a[i], mass[j], t[j, e]
!d = tensor<?x8xf64>
!r = tensor<?xf64>
attn.kernel @doubles(%q: !d, %k: !d, %v: !d, %x: f64) -> (y: !d, a: !r, mass: !r, t: !d) {
  %y, %a, %mass, %t = attn.attend dims(| i | j | c, e)
    q = %q[i, c] k = %k[j, c] v = %v[j, e]
    normalize = @sigmoid(%x)
    reduce a = weighted(%s : f64, j = %j) {
      %n = arith.index_cast %j : index to i64
      %f = arith.sitofp %n : i64 to f64
      attn.yield %f : f64
    }
    reduce m = max
    columns mass = sum(%w : f64, %s : f64) {
      attn.yield %w : f64
    }
    aggregate t = %v[i, e]
    epilogue(o = %o : f64, m = %m : f64, e = %e) -> (y) {
      %n = arith.index_cast %e : index to i64
      %f = arith.sitofp %n : i64 to f64
      %z = arith.addf %o, %m : f64
      %w = arith.addf %z, %f : f64
      attn.yield %w : f64
    }
    outputs y[i, e], a[i], mass[j], t[j, e]
    : (!d, !d, !d) -> (!d, !r, !r, !d)
  attn.return %y, %a, %mass, %t : !d, !r, !r, !d
}

// -----

// Classes of pairs, for a normalizer that sums over them.
// CHECK-LABEL: attn.kernel @classes(
// CHECK: class(i = %[[I:.*]], j = %[[J:.*]]) {
// CHECK: attn.yield %{{.*}} : i32
// CHECK: normalize = @two_classes
attn.normalizer @two_classes {
  attn.pass ref = none phi(%s) {
    attn.yield %s : f32
  } sums(a = value in 0, b = value in 1)
  attn.finish(%a, %b) {
    %o = arith.subf %a, %b : f32
    attn.yield %o : f32
  } outputs(o) empty(0.0)
}
!t = tensor<?x64xf32>
attn.kernel @classes(%q: !t, %seg: tensor<?xi32>) -> (o: !t) {
  %o = attn.attend dims(| i | j | c)
    q = %q[i, c] k = %q[j, c] v = %q[j, c]
    set = where(i = %i, j = %j) {
      %p = arith.cmpi sge, %i, %j : index
      attn.yield %p : i1
    }
    class(i = %i, j = %j) {
      %x = attn.load %seg[%i] : tensor<?xi32>
      %y = attn.load %seg[%j] : tensor<?xi32>
      %z = arith.subi %x, %y : i32
      attn.yield %z : i32
    }
    normalize = @two_classes
    outputs o[i, c]
    : (!t, !t, !t) -> !t
  attn.return %o : !t
}

// -----

// All kinds of reductions; an argmax of the score and one of a number; weights; more outputs than the finish has.
// CHECK-LABEL: attn.kernel @reductions(
// CHECK: reduce d = weighted(%[[S:.*]], h = %{{.*}}, j = %{{.*}}) {
// CHECK: reduce n = sum(%{{.*}}) {
// CHECK: reduce m = max{{$}}
// CHECK: reduce l = min(%{{.*}}) {
// CHECK: reduce id = argmax{{$}}
// CHECK: reduce far = argmax(%{{.*}}, i = %{{.*}}, j = %{{.*}}) {
// CHECK: outputs id[b, h, i], far[i, h, b], o[b, h, i, e], lse[b, h, i], d[b, h, i], n[b, h, i], m[b, h, i], l[b, h, i], p[b, h, i, j]
!t = tensor<?x?x?x64xf32>
!r = tensor<?x?x?xf32>
attn.kernel @reductions(%q: !t, %k: !t, %v: !t, %x: tensor<?x?xf32>)
    -> (id: tensor<?x?x?xi32>, far: tensor<?x?x?xi64>, o: !t, lse: !r, d: !r, n: !r, m: !r, l: !r, p: tensor<?x?x?x?xbf16>) {
  %id, %far, %o, %lse, %d, %n, %m, %l, %p = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    reduce d = weighted(%s, h = %h, j = %j) {
      %f = attn.load %x[%h, %j] : tensor<?x?xf32>
      attn.yield %f : f32
    }
    reduce n = sum(%s) {
      %one = arith.constant 1.0 : f32
      attn.yield %one : f32
    }
    reduce m = max
    reduce l = min(%s, i = %i) {
      %z = arith.mulf %s, %s : f32
      attn.yield %z : f32
    }
    reduce id = argmax
    reduce far = argmax(%s, j = %j, i = %i) {
      %y = arith.subi %i, %j : index
      %w = arith.index_cast %y : index to i64
      %z = arith.sitofp %w : i64 to f32
      attn.yield %z : f32
    }
    outputs id[b, h, i], far[i, h, b], o[b, h, i, e], lse[b, h, i], d[b, h, i], n[b, h, i], m[b, h, i], l[b, h, i], p[b, h, i, j]
    : (!t, !t, !t) -> (tensor<?x?x?xi32>, tensor<?x?x?xi64>, !t, !r, !r, !r, !r, !r, tensor<?x?x?x?xbf16>)
  attn.return %id, %far, %o, %lse, %d, %n, %m, %l, %p : tensor<?x?x?xi32>, tensor<?x?x?xi64>, !t, !r, !r, !r, !r, !r, tensor<?x?x?x?xbf16>
}

// -----

// An epilogue names what it uses, in any order; its outputs shadow the finish's, and may be fewer or more.
// CHECK-LABEL: attn.kernel @epilogues(
// CHECK: epilogue(lse = %[[L:.*]], o = %[[O:.*]], h = %{{.*}}, e = %{{.*}}) -> (o, t) {
// CHECK: outputs o[b, h, i, e], t[b, h, i]
// CHECK: epilogue() -> (one) {
!t = tensor<?x?x?x64xf32>
!r = tensor<?x?x?xf32>
attn.kernel @epilogues(%q: !t, %k: !t, %v: !t, %gate: tensor<?x64xf32>) -> (o: !t, t: !r, one: !r) {
  %o, %t = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    epilogue(lse = %lse, e = %e, o = %o, h = %h) -> (o, t) {
      %g = attn.load %gate[%h, %e] : tensor<?x64xf32>
      %x = arith.mulf %g, %o : f32
      %y = math.exp %lse : f32
      attn.yield %x, %y : f32, f32
    }
    outputs o[b, h, i, e], t[b, h, i]
    : (!t, !t, !t) -> (!t, !r)
  %one = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    epilogue() -> (one) {
      %x = arith.constant 1.0 : f32
      attn.yield %x : f32
    }
    outputs one[b, h, i]
    : (!t, !t, !t) -> !r
  attn.return %o, %t, %one : !t, !r, !r
}

// -----

// Without v; and an epilogue's o that has no feature.
// CHECK-LABEL: attn.kernel @valueless(
// CHECK: q = %q[b, h, i, c] k = %k[b, h, j, c]{{$}}
// CHECK-NEXT: outputs lse[b, h, i], p[b, h, i, j]
// CHECK-NEXT: : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?xf32>, tensor<?x?x?x?xf32>)
!t = tensor<?x?x?x64xf32>
!r = tensor<?x?x?xf32>
attn.kernel @valueless(%q: !t, %k: !t) -> (lse: !r, p: tensor<?x?x?x?xf32>, o: !r) {
  %lse, %p = attn.attend dims(b, h | i | j | c)
    q = %q[b, h, i, c] k = %k[b, h, j, c]
    outputs lse[b, h, i], p[b, h, i, j]
    : (!t, !t) -> (!r, tensor<?x?x?x?xf32>)
  %o = attn.attend dims(b, h | i | j | c)
    q = %q[b, h, i, c] k = %k[b, h, j, c]
    epilogue(lse = %l) -> (o) {
      %x = arith.negf %l : f32
      attn.yield %x : f32
    }
    outputs o[b, h, i]
    : (!t, !t) -> !r
  attn.return %lse, %p, %o : !r, tensor<?x?x?x?xf32>, !r
}

// -----

// What is no argument of the kernel is written with its type: an argument of a normalizer, of an aggregate, in regions.
// CHECK-LABEL: attn.kernel @typed(
// CHECK: %[[O:.*]]:2 = attn.attend
// CHECK: normalize = @softmax_sink(%[[O]]#1[b, h, i] : tensor<?x?x?xf32>)
// CHECK: columns mass = sum(%{{.*}}, %{{.*}}, i = %{{.*}}, j = %{{.*}}) {
// CHECK: attn.load %[[O]]#1[
// CHECK: aggregate u = %[[O]]#0[b, h, i, e] : tensor<?x?x?x64xf32>
// CHECK: aggregate w = %q[b, h, i, c]
// CHECK: outputs mass[b, h, j], u[b, h, j, e], w[c, b, h, j]
!t = tensor<?x?x?x64xf32>
!r = tensor<?x?x?xf32>
attn.kernel @typed(%q: !t, %k: !t, %v: !t) -> (mass: !r, u: !t, w: tensor<64x?x?x?xf32>) {
  %o, %lse = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    outputs o[b, h, i, e], lse[b, h, i]
    : (!t, !t, !t) -> (!t, !r)
  %mass, %u, %w = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    normalize = @softmax_sink(%lse[b, h, i] : !r)
    columns mass = sum(%w, %s, i = %i, j = %j) {
      %y = attn.load %lse[%i, %j, %i] : !r
      %x = arith.mulf %w, %y : f32
      attn.yield %x : f32
    }
    aggregate u = %o[b, h, i, e] : !t
    aggregate w = %q[b, h, i, c]
    outputs mass[b, h, j], u[b, h, j, e], w[c, b, h, j]
    : (!t, !t, !t) -> (!r, !t, tensor<64x?x?x?xf32>)
  attn.return %mass, %u, %w : !r, !t, tensor<64x?x?x?xf32>
}
