// RUN: %attn-opt %s --attn-pipeline-vector | FileCheck %s

// An index that the data give is checked and reported; one that is the query's, the key's or a batch index is checked once a call.

// CHECK-LABEL: llvm.func internal @attn_tied_v0_main
// CHECK-NOT: llvm.cmpxchg
// CHECK: llvm.func @attn_tied(
attn.kernel @tied(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>, %t: tensor<?x?xf32>) -> (o: tensor<?x?x?x64xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    score(%s, i = %i, j = %j) {
      %x = attn.load %t[%i, %j] : tensor<?x?xf32>
      %y = arith.addf %s, %x : f32
      attn.yield %y : f32
    }
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// CHECK-LABEL: llvm.func internal @attn_free_v0_main
// CHECK: llvm.cmpxchg
// CHECK: llvm.func @attn_free(
attn.kernel @free(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>, %t: tensor<?xf32>, %u: tensor<?xi32>) -> (o: tensor<?x?x?x64xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    score(%s, j = %j) {
      %n = attn.load %u[%j] : tensor<?xi32>
      %x = attn.load %t[%n] : tensor<?xf32>, i32
      %y = arith.addf %s, %x : f32
      attn.yield %y : f32
    }
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}
