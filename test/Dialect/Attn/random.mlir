// RUN: %attn-opt %s --split-input-file | FileCheck %s
// RUN: %attn-opt %s --split-input-file --mlir-print-op-generic | %attn-opt --split-input-file | FileCheck %s
// RUN: %attn-opt %s --split-input-file --verify-roundtrip -o %t

// Uniform numbers by a seed and indices, in sets and in scores.

!t = tensor<?x?x?x64xf32>
// CHECK-LABEL: attn.kernel @in_set(
attn.kernel @in_set(%q: !t, %k: !t, %v: !t, %seed: i64, %p: f32) -> (o: !t) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = where(b = %b, h = %h, i = %i, j = %j) {
      // CHECK: attn.random %seed[%b, %h, %i, %j] : i64 -> f32
      %u = attn.random %seed[%b, %h, %i, %j] : i64 -> f32
      %keep = arith.cmpf olt, %u, %p : f32
      attn.yield %keep : i1
    }
    outputs o[b, h, i, e]
    : (!t, !t, !t) -> (!t)
  attn.return %r0 : !t
}

// CHECK-LABEL: attn.kernel @in_score(
attn.kernel @in_score(%q: !t, %k: !t, %v: !t, %seed: index, %other: i32) -> (o: !t) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    score(%s, j = %j) {
      // CHECK: attn.random %seed[%j] : index -> f32
      %u = attn.random %seed[%j] : index -> f32
      // CHECK: attn.random %other[%j, %j] : i32 -> f32
      %w = attn.random %other[%j, %j] : i32 -> f32
      %x = arith.addf %s, %u : f32
      %y = arith.addf %x, %w : f32
      attn.yield %y : f32
    }
    outputs o[b, h, i, e]
    : (!t, !t, !t) -> (!t)
  attn.return %r0 : !t
}
