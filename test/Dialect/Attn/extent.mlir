// RUN: %attn-opt %s | %attn-opt | FileCheck %s
// RUN: %attn-opt %s --mlir-print-op-generic | %attn-opt | FileCheck %s

// How many values an index of a map has, as a number and as an index.
// CHECK-LABEL: attn.kernel @mean
// CHECK: attn.map dims(i, e) sum(e) (%[[X:.*]] = %x[i, e], e = %[[E:.*]]) {
// CHECK-NEXT: %[[N:.*]] = attn.extent %[[E]] : f32
// CHECK-NEXT: arith.divf %[[X]], %[[N]] : f32
// CHECK: attn.extent %{{.*}} : index
attn.kernel @mean(%x: tensor<?x?xf32>) -> (m: tensor<?xf32>, r: tensor<?x?xi64>) {
  %m = attn.map dims(i, e) sum(e) (%u = %x[i, e], e = %e) {
    %n = attn.extent %e : f32
    %y = arith.divf %u, %n : f32
    attn.yield %y : f32
  } -> [i] : (tensor<?x?xf32>) -> tensor<?xf32>
  %r = attn.map dims(i, e) (%u = %x[i, e], i = %i, e = %e) {
    %n = attn.extent %e : index
    %k = arith.muli %i, %n : index
    %p = arith.addi %k, %e : index
    %y = arith.index_cast %p : index to i64
    attn.yield %y : i64
  } -> [i, e] : (tensor<?x?xf32>) -> tensor<?x?xi64>
  attn.return %m, %r : tensor<?xf32>, tensor<?x?xi64>
}
