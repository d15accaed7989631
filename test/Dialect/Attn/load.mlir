// RUN: %attn-opt %s --split-input-file | FileCheck %s
// RUN: %attn-opt %s --split-input-file --mlir-print-op-generic | %attn-opt --split-input-file | FileCheck %s
// RUN: %attn-opt %s --split-input-file --verify-roundtrip -o %t

// x = t[indices]; the type of the indices is written where it is not index.

// CHECK-LABEL: attn.kernel @indices(
// CHECK: attn.load %t[%i, %j, %c2] : tensor<?x?x4xf32>
attn.kernel @indices(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>, %t: tensor<?x?x4xf32>) -> (o: tensor<?x?x?x64xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    score(%s, h = %h, i = %i, j = %j) {
      %c = arith.constant 2 : index
      %x = attn.load %t[%i, %j, %c] : tensor<?x?x4xf32>
      %t1 = arith.addf %s, %x : f32
      attn.yield %t1 : f32
    }
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// CHECK-LABEL: attn.kernel @narrow_indices(
// CHECK: %[[N:[0-9]+]] = attn.load %t[%j] : tensor<?xi32>
// CHECK: attn.load %u[%[[N]]] : tensor<?xf32>, i32
attn.kernel @narrow_indices(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>, %t: tensor<?xi32>, %u: tensor<?xf32>) -> (o: tensor<?x?x?x64xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    score(%s, j = %j) {
      %n = attn.load %t[%j] : tensor<?xi32>
      %x = attn.load %u[%n] : tensor<?xf32>, i32
      attn.yield %x : f32
    }
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// CHECK-LABEL: attn.kernel @wide_indices(
// CHECK: attn.load %u[%{{[0-9]+}}] : tensor<?xi1>, i64
attn.kernel @wide_indices(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>, %t: tensor<?xi64>, %u: tensor<?xi1>) -> (o: tensor<?x?x?x64xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = where(j = %j) {
      %n = attn.load %t[%j] : tensor<?xi64>
      %x = attn.load %u[%n] : tensor<?xi1>, i64
      attn.yield %x : i1
    }
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}
