// RUN: %attn-opt %s --attn-pipeline-vector | FileCheck %s

// A normalizer without reference raises nothing.

// CHECK-LABEL: llvm.func internal @attn_none_v0_main
// CHECK-NOT: _raise
// CHECK: llvm.func @attn_none(
attn.normalizer @relu_sum {
  attn.pass ref = none phi(%s) {
    %zero = arith.constant 0.0 : f32
    %p = arith.maximumf %s, %zero : f32
    attn.yield %p : f32
  } sums(n = value)
  attn.finish(%n) {
    attn.yield %n : f32
  } outputs(o) empty(0.0)
}
attn.kernel @none(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>) -> (o: tensor<?x?x?x64xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    normalize = @relu_sum
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// Where all rows of a strip have a reference that is not large, what moves is found for all of them at once, a row in a
// lane; else row by row.

// CHECK-LABEL: llvm.func internal @attn_soft_v{{[0-9]+}}_raise0
// CHECK: arith.cmpf une, {{.*}} : vector<8xf32>
// CHECK: scf.if
// CHECK: arith.cmpf une, {{.*}} : f32
// CHECK: llvm.return
attn.kernel @soft(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>) -> (o: tensor<?x?x?x64xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    normalize = @softmax
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}
