// RUN: %attn-opt %s --attn-pipeline-vector | FileCheck %s

// One function a phase, the raising of references, the constants of the ABI and two entries; nothing of the dialects above is left.

// CHECK-NOT: attn.
// CHECK-NOT: tile.
// CHECK: llvm.func internal @attn_plain_v0_main(%{{.*}}: !llvm.ptr)
// Once, and once more on the guarded path if an accumulator ended non-finite.
// CHECK:   %[[TWO:.*]] = arith.constant 2 : i64
// CHECK:   scf.for %{{.*}} = %{{.*}} to %[[TWO]] step %{{.*}} iter_args(%[[GO:.*]] = %{{.*}}) -> (i1)
// CHECK-NEXT: scf.if %[[GO]] -> (i1)
// CHECK:   llvm.call @attn_plain_v0_raise
// CHECK: llvm.func internal @attn_plain_v0_merge(%{{.*}}: !llvm.ptr)
// CHECK: llvm.func internal @attn_plain_v3_pack(%{{.*}}: !llvm.ptr)
// CHECK: llvm.mlir.global internal constant @{{.*}}("plain\00")
// CHECK: llvm.mlir.global external constant @attn_plain_info()
// CHECK: llvm.func @attn_rt_run(!llvm.ptr, !llvm.ptr) -> i32
// CHECK: llvm.func @attn_plain(%[[CALL:.*]]: !llvm.ptr) -> i32
// CHECK:   %[[INFO:.*]] = llvm.mlir.addressof @attn_plain_info
// CHECK:   llvm.call @attn_rt_run(%[[CALL]], %[[INFO]])
// CHECK: llvm.func @attn_rt_workspace(!llvm.ptr, !llvm.ptr, !llvm.ptr) -> i32
// CHECK: llvm.func @attn_plain_workspace(%{{.*}}: !llvm.ptr, %{{.*}}: !llvm.ptr) -> i32
// CHECK:   llvm.call @attn_rt_workspace
// CHECK-NOT: attn.
// CHECK-NOT: tile.
attn.kernel @plain(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>) -> (o: tensor<?x?x?x64xf32>, lse: tensor<?x?x?xf32>) {
  %r0, %r1 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    outputs o[b, h, i, e], lse[b, h, i]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>, tensor<?x?x?xf32>)
  attn.return %r0, %r1 : tensor<?x?x?x64xf32>, tensor<?x?x?xf32>
}
