// RUN: %attn-opt %s --attn-pipeline-tile | FileCheck %s

!t = tensor<?x?x?x8xf32>

// The region takes both elements, the batch indices and the feature; the scale is 1 unless it is written.
// CHECK-LABEL: tile.program @additive
// CHECK: tile.weigh dot(
// CHECK: score {
// CHECK-NEXT: ^bb0(%[[S:[a-z0-9]+]]: f32,
// CHECK-NEXT: %[[C:.*]] = arith.constant 1.442{{.*}} : f32
// CHECK-NEXT: arith.mulf %[[S]], %[[C]]
// CHECK: product {
// CHECK-NEXT: ^bb0(%[[X:[a-z0-9]+]]: f32, %[[Y:[a-z0-9]+]]: f32, %[[B:[a-z0-9]+]]: index, %[[H:[a-z0-9]+]]: index, %[[F:[a-z0-9]+]]: index):
// CHECK: arith.addf %[[X]], %[[Y]]
// CHECK: math.tanh
// CHECK: attn.load %{{.*}}[%[[H]], %[[F]]]
// CHECK: tile.yield
attn.kernel @additive(%q: !t, %k: !t, %v: !t, %ws: tensor<?x8xf32>) -> (o: !t) {
  %o = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    dot(%x, %y, h = %h, c = %c) {
      %s = arith.addf %x, %y : f32
      %t = math.tanh %s : f32
      %w = attn.load %ws[%h, %c] : tensor<?x8xf32>
      %z = arith.mulf %t, %w : f32
      attn.yield %z : f32
    }
    outputs o[b, h, i, e]
    : (!t, !t, !t) -> !t
  attn.return %o : !t
}

// With the roles exchanged its elements are too.
// CHECK-LABEL: tile.program @columns__0
// CHECK: product {
// CHECK-NEXT: ^bb0(%[[X:[a-z0-9]+]]: f32, %[[Y:[a-z0-9]+]]: f32,
// CHECK: arith.subf %[[X]], %[[Y]]
// CHECK-LABEL: tile.program @columns__1
// CHECK: product {
// CHECK-NEXT: ^bb0(%[[X:[a-z0-9]+]]: f32, %[[Y:[a-z0-9]+]]: f32,
// CHECK: arith.subf %[[Y]], %[[X]]
attn.kernel @columns(%q: !t, %k: !t, %v: !t) -> (o: !t, mass: tensor<?x?x?xf32>) {
  %o, %mass = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    dot(%x, %y) { %d = arith.subf %x, %y : f32 %m = math.absf %d : f32 attn.yield %m : f32 }
    scale = -0.5
    columns mass = sum(%p, %s) { attn.yield %p : f32 }
    outputs o[b, h, i, e], mass[b, h, j]
    : (!t, !t, !t) -> (!t, tensor<?x?x?xf32>)
  attn.return %o, %mass : !t, tensor<?x?x?xf32>
}
