// RUN: %attn-opt %s | FileCheck %s
// RUN: %attn-opt %s | %attn-opt | FileCheck %s
// RUN: %attn-opt %s --emit-bytecode | %attn-opt | FileCheck %s
// RUN: %attn-opt %s --attn-link-normalizers | FileCheck %s --check-prefix=LINKED

// Steps in a loop, and the loop written out.

!x = tensor<?x?xf32>
// CHECK-LABEL: attn.kernel @twice
// LINKED-LABEL: attn.kernel @twice
attn.kernel @twice(%x: !x, %y: !x) -> (a: !x, b: !x) {
  // CHECK: %[[S:.*]] = attn.map
  // CHECK: %[[R:.*]]:2 = attn.repeat 2 (%[[A:.*]] = %[[S]] : tensor<?x?xf32>, %[[B:.*]] = %y) {
  // CHECK: attn.map dims(i, e) (%{{.*}} = %[[A]][i, e], %{{.*}} = %[[B]][i, e])
  // CHECK: attn.yield %{{.*}}, %{{.*}}
  // LINKED-NOT: attn.repeat
  // LINKED: %[[S:.*]] = attn.map
  // LINKED: %[[A1:.*]] = attn.map dims(i, e) (%{{.*}} = %[[S]][i, e], %{{.*}} = %y[i, e])
  // LINKED: %[[B1:.*]] = attn.map dims(i, e) (%{{.*}} = %[[A1]][i, e])
  // LINKED: %[[A2:.*]] = attn.map dims(i, e) (%{{.*}} = %[[A1]][i, e], %{{.*}} = %[[B1]][i, e])
  // LINKED: %[[B2:.*]] = attn.map dims(i, e) (%{{.*}} = %[[A2]][i, e])
  // LINKED: attn.return %[[A2]], %[[B2]]
  %s = attn.map dims(i, e) (%u = %x[i, e]) {
    %z = arith.negf %u : f32
    attn.yield %z : f32
  } -> [i, e] : (!x) -> !x
  %r:2 = attn.repeat 2 (%a = %s : !x, %b = %y) {
    %c = attn.map dims(i, e) (%u = %a[i, e], %w = %b[i, e]) {
      %z = arith.addf %u, %w : f32
      attn.yield %z : f32
    } -> [i, e] : (!x, !x) -> !x
    %d = attn.map dims(i, e) (%u = %c[i, e]) {
      %z = arith.mulf %u, %u : f32
      attn.yield %z : f32
    } -> [i, e] : (!x) -> !x
    attn.yield %c, %d : !x, !x
  }
  attn.return %r#0, %r#1 : !x, !x
}

// Inside of each other.
// LINKED-LABEL: attn.kernel @nested
// LINKED-COUNT-6: attn.map
// LINKED-NOT: attn.map
attn.kernel @nested(%x: !x) -> (a: !x) {
  %r = attn.repeat 3 (%a = %x) {
    %i = attn.repeat 2 (%b = %a : !x) {
      %d = attn.map dims(i, e) (%u = %b[i, e]) {
        %z = arith.mulf %u, %u : f32
        attn.yield %z : f32
      } -> [i, e] : (!x) -> !x
      attn.yield %d : !x
    }
    attn.yield %i : !x
  }
  attn.return %r : !x
}
