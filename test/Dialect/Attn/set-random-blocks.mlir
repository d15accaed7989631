// RUN: %attn-opt %s --split-input-file | FileCheck %s
// RUN: %attn-opt %s --split-input-file --mlir-print-op-generic | %attn-opt --split-input-file | FileCheck %s
// RUN: %attn-opt %s --split-input-file --verify-roundtrip -o %t

// Blocks of pairs by a seed.

// CHECK-LABEL: attn.kernel @scalars(
// CHECK: set = random_blocks<seed = %s, probability = %p, block = [64, 64]>
attn.kernel @scalars(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>, %s: i64, %p: f32) -> (o: tensor<?x?x?x64xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = random_blocks<seed = %s, probability = %p, block = [64, 64]>
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// CHECK-LABEL: attn.kernel @constants(
// CHECK: set = random_blocks<seed = 7, probability = 5.000000e-01, block = [1, 128]>
attn.kernel @constants(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>) -> (o: tensor<?x?x?x64xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = random_blocks<seed = 7, probability = 5.000000e-01, block = [1, 128]>
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// CHECK-LABEL: attn.kernel @any_order(
// CHECK: set = random_blocks<seed = -1, probability = 1.000000e-01, block = [2, 3]>
attn.kernel @any_order(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>) -> (o: tensor<?x?x?x64xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = random_blocks<block = [2, 3], probability = 0.1, seed = -1>
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// CHECK-LABEL: attn.kernel @ends(
// CHECK: set = random_blocks<seed = 0, probability = 0.000000e+00, block = [2, 3]> or random_blocks<seed = 0, probability = 1.000000e+00, block = [2, 3]>
attn.kernel @ends(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>) -> (o: tensor<?x?x?x64xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = random_blocks<seed = 0, probability = 0.000000e+00, block = [2, 3]> or random_blocks<seed = 0, probability = 1.000000e+00, block = [2, 3]>
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// CHECK-LABEL: attn.kernel @by_distance(
// CHECK: set = causal<top_left> and random_blocks<seed = %s, probability = %p, block = [16, 16]>
attn.kernel @by_distance(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>, %s: index, %p: tensor<?xf32>) -> (o: tensor<?x?x?x64xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = causal<top_left> and random_blocks<seed = %s, probability = %p, block = [16, 16]>
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}
