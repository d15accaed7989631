// RUN: %attn-opt %s | %attn-opt | FileCheck %s
// RUN: %attn-opt %s --mlir-print-op-generic | %attn-opt | FileCheck %s

// An operand's element by name, a sum over a dimension, an index.
// CHECK-LABEL: attn.kernel @combine
// CHECK: attn.map dims(b, h, i, e) sum(h) (%[[X:.*]] = %o[b, h, i, e], %[[G:.*]] = %gate[b, h floordiv 4], i = %[[I:.*]]) {
// CHECK: } -> [b, i, e] : (tensor<?x?x?x64xf32>, tensor<?x?xf32>) -> tensor<?x?x64xf32>
attn.kernel @combine(%o: tensor<?x?x?x64xf32>, %gate: tensor<?x?xf32>) -> (y: tensor<?x?x64xf32>) {
  %y = attn.map dims(b, h, i, e) sum(h) (i = %i, %x = %o[b, h, i, e], %g = %gate[b, h floordiv 4]) {
    %n = arith.index_cast %i : index to i32
    %f = arith.sitofp %n : i32 to f32
    %p = arith.mulf %x, %g : f32
    %z = arith.mulf %p, %f : f32
    attn.yield %z : f32
  } -> [b, i, e] : (tensor<?x?x?x64xf32>, tensor<?x?xf32>) -> tensor<?x?x64xf32>
  attn.return %y : tensor<?x?x64xf32>
}

// Constants, captured tensors and scalars; an integer result; elements of other types are written down.
// CHECK-LABEL: attn.kernel @largest
// CHECK: attn.map dims(i, n) max(n) (%{{.*}} : i32 = %ids[i, n, 0], n = %{{.*}}) {
// CHECK: } -> [i] : (tensor<?x?x2xi32>) -> tensor<?xi32>
attn.kernel @largest(%ids: tensor<?x?x2xi32>, %w: i32, %t: tensor<?xi32>) -> (y: tensor<?xi32>) {
  %y = attn.map dims(i, n) max(n) (%x : i32 = %ids[i, n, 0], n = %n) {
    %l = attn.load %t[%n] : tensor<?xi32>
    %s = arith.addi %x, %l : i32
    %z = arith.addi %s, %w : i32
    attn.yield %z : i32
  } -> [i] : (tensor<?x?x2xi32>) -> tensor<?xi32>
  attn.return %y : tensor<?xi32>
}

// Nothing but indices: the extents stand in the result's type. f64 operands accumulate in f64.
// CHECK-LABEL: attn.kernel @table
// CHECK: attn.map dims(i, j) (i = %{{.*}}, j = %{{.*}}) {
// CHECK: } -> [j, i] : () -> tensor<8x4xbf16>
// CHECK: attn.map dims(i, j) (%{{.*}} : f64 = %{{.*}}[j, i], %{{.*}} : f64 = %d[i]) {
attn.kernel @table(%d: tensor<4xf64>) -> (y: tensor<4x8xf32>) {
  %t = attn.map dims(i, j) (i = %i, j = %j) {
    %s = arith.subi %i, %j : index
    %n = arith.index_cast %s : index to i32
    %f = arith.sitofp %n : i32 to f32
    attn.yield %f : f32
  } -> [j, i] : () -> tensor<8x4xbf16>
  %y = attn.map dims(i, j) (%x : f64 = %t[j, i], %a : f64 = %d[i]) {
    %z = arith.addf %x, %a : f64
    attn.yield %z : f64
  } -> [i, j] : (tensor<8x4xbf16>, tensor<4xf64>) -> tensor<4x8xf32>
  attn.return %y : tensor<4x8xf32>
}
