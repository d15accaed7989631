// RUN: %attn-opt %s --attn-pipeline-vector | FileCheck %s
// RUN: %attn-opt %s --attn-pipeline-vector=split-keys=2 | FileCheck %s --check-prefix=FORCED

// The main phase of "split" and that of "stream" are one function: a task with a state saves it, one without finishes.
// CHECK-NOT: @attn_plain_v2_pack
// CHECK: llvm.func internal @attn_plain_v2_main(%[[TASK:.*]]: !llvm.ptr)
// A task with a state packs its keys in its own scratch.
// CHECK: llvm.icmp "ne"
// Its blocks of keys are those of its chunk, of as many as the task says.
// CHECK: arith.divui
// CHECK: llvm.icmp "ne"
// CHECK: llvm.func internal @attn_plain_v2_merge(
// CHECK-NOT: llvm.func internal @attn_plain_v2_raise1
// CHECK: llvm.func internal @attn_plain_v2_guard(
// CHECK: llvm.func internal @attn_plain_v2_sizes(
// CHECK: llvm.func internal @attn_plain_v3_pack(
// CHECK-NOT: @attn_plain_v3_main
// CHECK: llvm.mlir.global internal constant @attn_plain_phases_2()
// CHECK: llvm.mlir.addressof @attn_plain_v2_main
// CHECK: llvm.mlir.addressof @attn_plain_v2_merge
// CHECK: llvm.mlir.global internal constant @attn_plain_phases_3()
// CHECK: llvm.mlir.addressof @attn_plain_v3_pack
// CHECK: llvm.mlir.addressof @attn_plain_v2_main
// CHECK-NOT: llvm.mlir.addressof @attn_plain_v2_merge

// Forced there is one variant, which takes every call.
// FORCED: llvm.func internal @attn_plain_v0_main(
// FORCED: llvm.func internal @attn_plain_v0_merge(
// FORCED-NOT: _guard
// FORCED-NOT: phases_1
attn.kernel @plain(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>) -> (o: tensor<?x?x?x64xf32>, lse: tensor<?x?x?xf32>) {
  %r0, %r1 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    outputs o[b, h, i, e], lse[b, h, i]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>, tensor<?x?x?xf32>)
  attn.return %r0, %r1 : tensor<?x?x?x64xf32>, tensor<?x?x?xf32>
}
