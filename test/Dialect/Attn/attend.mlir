// RUN: %attn-opt %s --split-input-file | FileCheck %s
// RUN: %attn-opt %s --split-input-file --mlir-print-op-generic | %attn-opt --split-input-file | FileCheck %s
// RUN: %attn-opt %s --split-input-file --verify-roundtrip -o %t

// Operands, maps, clauses in any order, outputs.

// CHECK-LABEL: attn.kernel @defaults(
// CHECK: attn.attend dims(b, h | i | j | c, e)
// CHECK: q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
// CHECK: outputs o[b, h, i, e]
// CHECK: : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> tensor<?x?x?x64xf32>
attn.kernel @defaults(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>) -> (o: tensor<?x?x?x64xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// CHECK-LABEL: attn.kernel @everything(
// CHECK: scale = %y : f32
// CHECK: set = full
// CHECK: score(%s) {
// CHECK: normalize = @softmax
// CHECK: outputs o[b, h, i, e], lse[b, h, i]
attn.kernel @everything(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>, %y: f32) -> (o: tensor<?x?x?x64xf32>, lse: tensor<?x?x?xf32>) {
  %r0, %r1 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    normalize = @softmax
    score(%s, h = %h, j = %j) {
      %x = arith.addf %s, %s : f32
      attn.yield %x : f32
    }
    set = full
    scale = %y
    outputs o[b, h, i, e], lse[b, h, i]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>, tensor<?x?x?xf32>)
  attn.return %r0, %r1 : tensor<?x?x?x64xf32>, tensor<?x?x?xf32>
}

// CHECK-LABEL: attn.kernel @lse_alone(
// CHECK: outputs lse[i, b, h]
attn.kernel @lse_alone(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>) -> (lse: tensor<?x?x?xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    outputs lse[i, b, h]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?xf32>)
  attn.return %r0 : tensor<?x?x?xf32>
}

// CHECK-LABEL: attn.kernel @lse_first(
// CHECK: outputs lse[b, h, i], o[b, i, h, e]
attn.kernel @lse_first(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>) -> (lse: tensor<?x?x?xf32>, o: tensor<?x?x?x64xf32>) {
  %r0, %r1 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    outputs lse[b, h, i], o[b, i, h, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?xf32>, tensor<?x?x?x64xf32>)
  attn.return %r0, %r1 : tensor<?x?x?xf32>, tensor<?x?x?x64xf32>
}

// CHECK-LABEL: attn.kernel @scale_constant(
// CHECK: scale = 1.250000e-01
attn.kernel @scale_constant(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>) -> (o: tensor<?x?x?x64xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    scale = 0.125
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// CHECK-LABEL: attn.kernel @scale_negative(
// CHECK: scale = -2.000000e+00
attn.kernel @scale_negative(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>) -> (o: tensor<?x?x?x64xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    scale = -2.0
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// CHECK-LABEL: attn.kernel @scale_f64(
// CHECK: scale = %x : f64
attn.kernel @scale_f64(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>, %x: f64) -> (o: tensor<?x?x?x64xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    scale = %x : f64
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// CHECK-LABEL: attn.kernel @score_indices(
// CHECK: score(%s, b = %b, j = %j) {
// CHECK: arith.subi %j, %b
attn.kernel @score_indices(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>) -> (o: tensor<?x?x?x64xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    score(%s, j = %key, b = %batch) {
      %d = arith.subi %key, %batch : index
      %n = arith.index_cast %d : index to i64
      %f = arith.sitofp %n : i64 to f32
      %t = arith.addf %s, %f : f32
      attn.yield %t : f32
    }
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// CHECK-LABEL: attn.kernel @no_batch(
// CHECK: dims(| i | j | c, e)
// CHECK: q = %q[i, c]
attn.kernel @no_batch(%q: tensor<?x64xf32>, %k: tensor<?x64xf32>, %v: tensor<?x64xf32>) -> (o: tensor<?x64xf32>) {
  %r0 = attn.attend dims(| i | j | c, e)
    q = %q[i, c] k = %k[j, c] v = %v[j, e]
    outputs o[i, e]
    : (tensor<?x64xf32>, tensor<?x64xf32>, tensor<?x64xf32>) -> (tensor<?x64xf32>)
  attn.return %r0 : tensor<?x64xf32>
}

// CHECK-LABEL: attn.kernel @one_batch(
// CHECK: dims(b | i | j | c, e)
// CHECK: v = %v[e, j, b]
// CHECK: outputs o[e, i, b]
attn.kernel @one_batch(%q: tensor<?x?x8xf32>, %k: tensor<?x?x8xf32>, %v: tensor<8x?x?xf32>) -> (o: tensor<8x?x?xf32>) {
  %r0 = attn.attend dims(b | i | j | c, e)
    q = %q[i, b, c] k = %k[j, b, c] v = %v[e, j, b]
    outputs o[e, i, b]
    : (tensor<?x?x8xf32>, tensor<?x?x8xf32>, tensor<8x?x?xf32>) -> (tensor<8x?x?xf32>)
  attn.return %r0 : tensor<8x?x?xf32>
}

// CHECK-LABEL: attn.kernel @four_batch(
// CHECK: dims(a, b, g, h | i | j | c, e)
attn.kernel @four_batch(%q: tensor<?x?x?x?x?x8xf32>, %k: tensor<?x?x8xf32>, %v: tensor<?x?x8xf32>) -> (o: tensor<?x?x?x?x?x8xf32>) {
  %r0 = attn.attend dims(a, b, g, h | i | j | c, e)
    q = %q[a, b, g, h, i, c] k = %k[a, j, c] v = %v[g, j, e]
    outputs o[a, b, g, h, i, e]
    : (tensor<?x?x?x?x?x8xf32>, tensor<?x?x8xf32>, tensor<?x?x8xf32>) -> (tensor<?x?x?x?x?x8xf32>)
  attn.return %r0 : tensor<?x?x?x?x?x8xf32>
}

// CHECK-LABEL: attn.kernel @one_feature(
// CHECK: dims(b | i | j | c)
attn.kernel @one_feature(%q: tensor<?x?x8xf32>, %k: tensor<?x?x8xf32>, %v: tensor<?x?x8xf32>) -> (o: tensor<?x?x8xf32>) {
  %r0 = attn.attend dims(b | i | j | c)
    q = %q[b, i, c] k = %k[b, j, c] v = %v[b, j, c]
    outputs o[b, i, c]
    : (tensor<?x?x8xf32>, tensor<?x?x8xf32>, tensor<?x?x8xf32>) -> (tensor<?x?x8xf32>)
  attn.return %r0 : tensor<?x?x8xf32>
}

// CHECK-LABEL: attn.kernel @gqa(
// CHECK: k = %k[b, h floordiv 4, j, c] v = %v[b, h floordiv 4, j, e]
attn.kernel @gqa(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>) -> (o: tensor<?x?x?x64xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h floordiv 4, j, c] v = %v[b, h floordiv 4, j, e]
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// CHECK-LABEL: attn.kernel @mqa(
// CHECK: k = %k[b, j, c] v = %v[j, e]
attn.kernel @mqa(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x64xf32>, %v: tensor<?x64xf32>) -> (o: tensor<?x?x?x64xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, j, c] v = %v[j, e]
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x64xf32>, tensor<?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// CHECK-LABEL: attn.kernel @constants(
// CHECK: q = %q[b, i, 0, h, c] k = %k[b, j, 1, h, c] v = %v[b, j, 2, h, e]
attn.kernel @constants(%q: tensor<?x?x3x?x64xf32>, %k: tensor<?x?x3x?x64xf32>, %v: tensor<?x?x3x?x64xf32>) -> (o: tensor<?x?x?x64xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, i, 0, h, c] k = %k[b, j, 1, h, c] v = %v[b, j, 2, h, e]
    outputs o[b, h, i, e]
    : (tensor<?x?x3x?x64xf32>, tensor<?x?x3x?x64xf32>, tensor<?x?x3x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// CHECK-LABEL: attn.kernel @static(
// CHECK: tensor<2x3x4x8xf32>
attn.kernel @static(%q: tensor<2x3x4x8xf32>, %k: tensor<2x3x5x8xf32>, %v: tensor<2x3x5x16xf32>) -> (o: tensor<2x3x4x16xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    outputs o[b, h, i, e]
    : (tensor<2x3x4x8xf32>, tensor<2x3x5x8xf32>, tensor<2x3x5x16xf32>) -> (tensor<2x3x4x16xf32>)
  attn.return %r0 : tensor<2x3x4x16xf32>
}

// CHECK-LABEL: attn.kernel @mixed(
// CHECK: tensor<?x?x?x64xbf16>
attn.kernel @mixed(%q: tensor<?x?x?x64xbf16>, %k: tensor<?x?x?x64xf16>, %v: tensor<?x?x?x32xf32>) -> (o: tensor<?x?x?x32xbf16>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xbf16>, tensor<?x?x?x64xf16>, tensor<?x?x?x32xf32>) -> (tensor<?x?x?x32xbf16>)
  attn.return %r0 : tensor<?x?x?x32xbf16>
}

// CHECK-LABEL: attn.kernel @doubles(
// CHECK: score(%s : f64) {
attn.kernel @doubles(%q: tensor<?x?x?x64xf64>, %k: tensor<?x?x?x64xf64>, %v: tensor<?x?x?x64xf64>) -> (o: tensor<?x?x?x64xf64>, lse: tensor<?x?x?xf64>) {
  %r0, %r1 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    score(%s : f64) {
      attn.yield %s : f64
    }
    outputs o[b, h, i, e], lse[b, h, i]
    : (tensor<?x?x?x64xf64>, tensor<?x?x?x64xf64>, tensor<?x?x?x64xf64>) -> (tensor<?x?x?x64xf64>, tensor<?x?x?xf64>)
  attn.return %r0, %r1 : tensor<?x?x?x64xf64>, tensor<?x?x?xf64>
}

// One tensor for q, k and v.
// CHECK-LABEL: attn.kernel @packed(
// CHECK: q = %x[b, i, 0, h, c] k = %x[b, j, 1, h, c] v = %x[b, j, 2, h, e]
attn.kernel @packed(%x: tensor<?x?x3x?x64xf16>) -> (o: tensor<?x?x?x64xf16>) {
  %o = attn.attend dims(b, h | i | j | c, e)
    q = %x[b, i, 0, h, c] k = %x[b, j, 1, h, c] v = %x[b, j, 2, h, e]
    outputs o[b, i, h, e]
    : (tensor<?x?x3x?x64xf16>, tensor<?x?x3x?x64xf16>, tensor<?x?x3x?x64xf16>) -> tensor<?x?x?x64xf16>
  attn.return %o : tensor<?x?x?x64xf16>
}

// Attributes that are no part of the syntax, such as a schedule, are kept.
// CHECK-LABEL: attn.kernel @attributes(
// CHECK-SAME: attributes {note = "kept"}
// CHECK: outputs o[b, h, i, e] {note = 1 : i64}
attn.kernel @attributes(%x: tensor<?x?x?x64xf32>) -> (o: tensor<?x?x?x64xf32>) attributes {note = "kept"} {
  %o = attn.attend dims(b, h | i | j | c, e)
    q = %x[b, h, i, c] k = %x[b, h, j, c] v = %x[b, h, j, e]
    outputs o[b, h, i, e] {note = 1 : i64}
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> tensor<?x?x?x64xf32>
  attn.return %o : tensor<?x?x?x64xf32>
}
