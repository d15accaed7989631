// RUN: %attn-opt %s | %attn-opt | FileCheck %s
// RUN: %attn-opt %s --mlir-print-op-generic | %attn-opt | FileCheck %s
// RUN: %attn-opt %s --attn-expand-merge | %attn-opt | FileCheck %s --check-prefix=MAPS

!t = tensor<?x?x?x64xf32>
!l = tensor<?x?x?xf32>

// Index lists that say nothing new are left out.
// CHECK-LABEL: attn.kernel @plain
// CHECK: attn.merge dims(b, h, i, e) @softmax (%o1, %l1), (%o2[b, i, h, e], %l2), (%o1, %l1) : (
// The reference, three weights, their sum, then lse and o.
// MAPS-LABEL: attn.kernel @plain
// MAPS-NOT: attn.merge
// MAPS: %[[R:.*]] = attn.map dims(b, h, i) (%{{.*}} = %l1[b, h, i], %{{.*}} = %l2[b, h, i], %{{.*}} = %l1[b, h, i]) {
// MAPS: arith.maximumf
// MAPS: %[[W1:.*]] = attn.map dims(b, h, i) (%{{.*}} = %l1[b, h, i], %{{.*}} = %[[R]][b, h, i]) {
// MAPS: math.exp
// MAPS: %[[W2:.*]] = attn.map dims(b, h, i) (%{{.*}} = %l2[b, h, i], %{{.*}} = %[[R]][b, h, i]) {
// MAPS: %[[W3:.*]] = attn.map
// MAPS: %[[L:.*]] = attn.map dims(b, h, i) (%{{.*}} = %[[W1]][b, h, i], %{{.*}} = %[[W2]][b, h, i], %{{.*}} = %[[W3]][b, h, i]) {
// MAPS: %[[LSE:.*]] = attn.map dims(b, h, i) (%{{.*}} = %[[R]][b, h, i], %{{.*}} = %[[L]][b, h, i]) {
// MAPS: math.log
// MAPS: %[[O:.*]] = attn.map dims(b, h, i, e) (
// MAPS-SAME: %o2[b, i, h, e]
// MAPS-NOT: math.log
// MAPS: attn.return %[[O]], %[[LSE]]
attn.kernel @plain(%o1: !t, %l1: !l, %o2: !t, %l2: !l) -> (o: !t, lse: !l) {
  %o, %lse = attn.merge dims(b, h, i, e) @softmax (%o1[b, h, i, e], %l1[b, h, i]), (%o2[b, i, h, e], %l2), (%o1, %l1)
    : (!t, !l, !t, !l, !t, !l) -> (!t, !l)
  attn.return %o, %lse : !t, !l
}

// A sink for each head, a constant, a scalar; the results in another layout; 16 bits.
// CHECK-LABEL: attn.kernel @sink
// CHECK: %[[O:.*]], %[[L:.*]] = attn.merge dims(b, h, i, e) @softmax_sink(%b[h floordiv 2]) (%o1, %l1), (%o2, %l2) -> ([b, i, h, e], [b, i, h]) : (
// CHECK: attn.merge dims(b, i, h, e) @softmax_sink(5.000000e-01) (%[[O]], %[[L]]), (%[[O]], %[[L]]) : (
// CHECK: attn.merge dims(b, i, h, e) @softmax_sink(%s) (
// MAPS-LABEL: attn.kernel @sink
// MAPS: attn.map dims(b, i, h) (%{{.*}} = %l1[b, h, i], %{{.*}} = %l2[b, h, i], %[[B:.*]] = %b[h floordiv 2]) {
// MAPS: arith.maximumf %{{.*}}, %[[B]] : f32
// MAPS: attn.map dims(b, i, h, e) (
// MAPS: arith.constant 5.000000e-01 : f32
// MAPS: arith.maximumf %{{.*}}, %s : f32
attn.kernel @sink(%o1: tensor<?x?x?x64xbf16>, %l1: !l, %o2: tensor<?x?x?x64xf16>, %l2: !l, %b: tensor<?xbf16>, %s: f32) -> (o: !t, lse: !l) {
  %o, %lse = attn.merge dims(b, h, i, e) @softmax_sink(%b[h floordiv 2]) (%o1, %l1), (%o2, %l2) -> ([b, i, h, e], [b, i, h])
    : (tensor<?x?x?x64xbf16>, !l, tensor<?x?x?x64xf16>, !l) -> (!t, !l)
  %p, %m = attn.merge dims(b, i, h, e) @softmax_sink(0.5) (%o, %lse), (%o, %lse) : (!t, !l, !t, !l) -> (!t, !l)
  %r, %n = attn.merge dims(b, i, h, e) @softmax_sink(%s) (%p, %m), (%o, %lse) : (!t, !l, !t, !l) -> (!t, !l)
  attn.return %r, %n : !t, !l
}

// f64 throughout, with the normalizer's f32.
// MAPS-LABEL: attn.kernel @wide
// MAPS: math.exp %{{.*}} : f64
// MAPS: math.log %{{.*}} : f64
attn.kernel @wide(%o: tensor<?x4xf64>, %l: tensor<?xf64>) -> (o2: tensor<?x4xf64>, lse: tensor<?xf64>) {
  %o2, %lse = attn.merge dims(i, e) @softmax1 (%o, %l), (%o, %l) : (tensor<?x4xf64>, tensor<?xf64>, tensor<?x4xf64>, tensor<?xf64>) -> (tensor<?x4xf64>, tensor<?xf64>)
  attn.return %o2, %lse : tensor<?x4xf64>, tensor<?xf64>
}

// Softmax to the base 2 merges too: its gauge says how.
// MAPS-LABEL: attn.kernel @base2_merge
// MAPS: math.exp2
// MAPS: math.log2
attn.normalizer @base2 {
  attn.pass ref = max
    gauge(%r0, %r1) { %d = arith.subf %r0, %r1 : f32  %g = math.exp2 %d : f32  attn.yield %g : f32 }
    phi(%s, %r) { %d = arith.subf %s, %r : f32  %p = math.exp2 %d : f32  attn.yield %p : f32 }
    sums(n = value, l = one)
  attn.finish(%r, %n, %l) {
    %o = arith.divf %n, %l : f32  %g = math.log2 %l : f32  %e = arith.addf %r, %g : f32
    attn.yield %e, %o : f32, f32
  } outputs(lse, o) empty(neg_inf, 0.0)
}
attn.kernel @base2_merge(%o1: !t, %l1: !l) -> (o: !t, lse: !l) {
  %o, %lse = attn.merge dims(b, h, i, e) @base2 (%o1, %l1), (%o1, %l1) : (!t, !l, !t, !l) -> (!t, !l)
  attn.return %o, %lse : !t, !l
}
