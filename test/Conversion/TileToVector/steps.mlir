// RUN: %attn-opt %s --attn-pipeline-vector | FileCheck %s
// RUN: %attn-opt %s --attn-pipeline-llvm | FileCheck %s --check-prefix=LLVM

// A map: items of a task, vectors of a chunk, the reduced dimension inside. What does not depend on it is loaded before.

// CHECK-LABEL: llvm.func internal @attn_sum_v0_map(
// CHECK:   llvm.icmp "ne"
// CHECK:   scf.if
// CHECK:     scf.for
// CHECK:       scf.for %{{.*}} = %{{.*}} to %{{.*}} step %c8_i64{{.*}} {
// CHECK:         %[[G:.*]] = scf.if
// CHECK:           llvm.load {{.*}} -> vector<8xf32>
// CHECK:         %[[ZERO:.*]] = arith.constant dense<0.000000e+00> : vector<8xf32>
// CHECK:         %[[SUM:.*]] = scf.for {{.*}} iter_args(%[[ACC:.*]] = %[[ZERO]]) -> (vector<8xf32>){{.*}} {
// CHECK:           %[[X:.*]] = scf.if
// CHECK:             llvm.load {{.*}} -> vector<8xi16>
// CHECK:           vector.fma %[[X]], %[[G]], %[[ACC]] : vector<8xf32>
// CHECK:         llvm.store {{.*}} : vector<8xf32>, !llvm.ptr
// CHECK-LABEL: llvm.func internal @attn_sum_v0_sizes(
// CHECK: llvm.mlir.global external constant @attn_sum_info()
attn.kernel @sum(%xs: tensor<?x?x?xbf16>, %gs: tensor<?xf32>) -> (y: tensor<?x?xf32>) {
  %y = attn.map dims(h, i, e) sum(h) (%x = %xs[h, i, e], %g = %gs[e]) {
    %z = arith.mulf %x, %g : f32
    attn.yield %z : f32
  } -> [i, e] : (tensor<?x?x?xbf16>, tensor<?xf32>) -> tensor<?x?xf32>
  attn.return %y : tensor<?x?xf32>
}

// A kernel of steps: their constants are local, its own name all of them: tensors q, o, y, then temporaries.

// CHECK: llvm.mlir.global internal constant @attn_steps__0_info()
// CHECK: llvm.mlir.global internal constant @attn_steps__1_info()
// CHECK: llvm.mlir.global internal constant @attn_steps_values_0() {{.*}} : !llvm.array<3 x i32>
// CHECK-NEXT: llvm.mlir.constant(0 : i32)
// CHECK-NEXT: llvm.mlir.constant(1 : i32)
// CHECK-NEXT: llvm.mlir.constant(3 : i32)
// CHECK: llvm.mlir.global internal constant @attn_steps_values_1() {{.*}} : !llvm.array<2 x i32>
// CHECK: llvm.mlir.global internal constant @attn_steps_scalars_1() {{.*}} : !llvm.array<1 x i32>
// CHECK: llvm.mlir.global internal constant @attn_steps_steps()
// CHECK:   llvm.mlir.addressof @attn_steps__0_info
// CHECK:   llvm.mlir.addressof @attn_steps__1_info
// CHECK: llvm.mlir.global external constant @attn_steps_info()
// CHECK: llvm.func @attn_steps(%{{.*}}: !llvm.ptr) -> i32
// CHECK-NOT: llvm.func @attn_steps__
// LLVM-NOT: scf.
attn.kernel @steps(%q: tensor<?x8xf32>, %w: f32) -> (o: tensor<?x8xf32>, y: tensor<?xf32>) {
  %o, %lse = attn.attend dims(| i | j | c) q = %q[i, c] k = %q[j, c] v = %q[j, c]
    outputs o[i, c], lse[i] : (tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>) -> (tensor<?x8xf32>, tensor<?xf32>)
  %y = attn.map dims(i, c) max(c) (%x = %o[i, c]) {
    %z = arith.mulf %x, %w : f32
    attn.yield %z : f32
  } -> [i] : (tensor<?x8xf32>) -> tensor<?xf32>
  attn.return %o, %y : tensor<?x8xf32>, tensor<?xf32>
}
