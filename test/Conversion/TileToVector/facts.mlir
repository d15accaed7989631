// RUN: %attn-opt %s --split-input-file --attn-pipeline-vector=block-keys=256 | FileCheck %s

// A sorted tensor is searched by bisection for the ends of a block's keys, [0, extent) halved at a time; nothing summarizes it. Lanes compare its elements.
// The call is told what to check: 1 for sorted, 2 for a range, its ends.

// CHECK-LABEL: llvm.func internal @attn_sorted_v0_pack(
// CHECK-NOT: arith.constant 9223372036854775807 : i64
// CHECK-LABEL: llvm.func internal @attn_sorted_v0_main(
// CHECK: scf.while (%[[LO:.*]] = %c0_i64{{.*}}, %[[HI:.*]] = %{{.*}}) : (i64, i64) -> (i64, i64) {
// CHECK-NEXT: %[[MORE:.*]] = arith.cmpi slt, %[[LO]], %[[HI]] : i64
// CHECK-NEXT: scf.condition(%[[MORE]]) %[[LO]], %[[HI]]
// CHECK-LABEL: llvm.mlir.global internal constant @attn_sorted_args()
// CHECK: llvm.mlir.addressof @attn_sorted_s3 :
// CHECK: llvm.mlir.constant(2 : i32) : i32
// CHECK-NEXT: llvm.mlir.constant(-1 : i32) : i32
// CHECK-NEXT: llvm.mlir.constant(1 : i32) : i32
// CHECK-NEXT: llvm.mlir.constant(0 : i64) : i64
// CHECK-NEXT: llvm.mlir.constant(0 : i64) : i64
// CHECK: llvm.mlir.addressof @attn_sorted_s4 :
// CHECK: llvm.mlir.constant(-1 : i32) : i32
// CHECK-NEXT: llvm.mlir.constant(3 : i32) : i32
// CHECK-NEXT: llvm.mlir.constant(-7 : i64) : i64
// CHECK-NEXT: llvm.mlir.constant(19 : i64) : i64
attn.kernel @sorted(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>, %s: tensor<?x?xi32> {attn.sorted}, %r: tensor<?xi64> {attn.sorted, attn.range = array<i64: -7, 19>}) -> (o: tensor<?x?x?x64xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = same_segment<%s> and where(i = %i, j = %j) {
      %x = attn.load %r[%j] : tensor<?xi64>
      %y = arith.index_cast %i : index to i64
      %p = arith.cmpi sle, %x, %y : i64
      attn.yield %p : i1
    }
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// -----

// CHECK-LABEL: llvm.func internal @attn_plain_v0_pack(
// CHECK: arith.constant 9223372036854775807 : i64
// CHECK-LABEL: llvm.func internal @attn_plain_v0_main(
// CHECK-NOT: scf.while (%{{.*}} = %c0_i64{{.*}}, %{{.*}} = %{{.*}}) : (i64, i64) -> (i64, i64) {
// CHECK: llvm.mlir.global internal constant @attn_plain_args()
attn.kernel @plain(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>, %s: tensor<?x?xi32>) -> (o: tensor<?x?x?x64xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = same_segment<%s>
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}
