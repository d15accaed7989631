// RUN: %attn-opt %s --split-input-file | FileCheck %s
// RUN: %attn-opt %s --split-input-file --mlir-print-op-generic | %attn-opt --split-input-file | FileCheck %s
// RUN: %attn-opt %s --split-input-file --verify-roundtrip -o %t

// Dropout of the weights.

// CHECK-LABEL: attn.kernel @constants(
// CHECK: dropout(seed = 7, probability = 1.000000e-01)
attn.kernel @constants(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>) -> (o: tensor<?x?x?x64xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    dropout(seed = 7, probability = 1.000000e-01)
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// CHECK-LABEL: attn.kernel @scalars(
// CHECK: dropout(seed = %s, probability = %p)
attn.kernel @scalars(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>, %s: i64, %p: f32) -> (o: tensor<?x?x?x64xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    dropout(seed = %s, probability = %p)
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// CHECK-LABEL: attn.kernel @mixed(
// CHECK: scale = 1.250000e-01
// CHECK: dropout(seed = %s, probability = 0.000000e+00)
attn.kernel @mixed(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>, %s: index) -> (o: tensor<?x?x?x64xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    scale = 1.250000e-01
    dropout(seed = %s : index, probability = 0.0)
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// CHECK-LABEL: attn.kernel @mixed_too(
// CHECK: dropout(seed = -1, probability = %p)
attn.kernel @mixed_too(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>, %p: f32) -> (o: tensor<?x?x?x64xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    dropout(seed = -1, probability = %p : f32)
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// CHECK-LABEL: attn.kernel @all_clauses(
// CHECK: scale = %x : f32
// CHECK: first = %t
// CHECK: set = causal<top_left>
// CHECK: normalize = @softmax
// CHECK: dropout(seed = %s, probability = %p)
attn.kernel @all_clauses(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>, %x: f32, %t: i64, %s: i32, %p: f32) -> (o: tensor<?x?x?x64xf32>) {
  %r0 = attn.attend dims(b, h | i[?, 64] | j[?, 64] | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    scale = %x : f32
    set = causal<top_left>
    first = %t
    normalize = @softmax
    dropout(seed = %s, probability = %p)
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}
