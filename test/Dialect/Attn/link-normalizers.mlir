// RUN: %attn-opt %s --split-input-file --attn-link-normalizers | FileCheck %s

// The library's normalizer is added where it is used and not defined.
// CHECK: attn.normalizer @softmax {
// CHECK: attn.kernel @used(
attn.kernel @used(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>) -> (o: tensor<?x?x?x64xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// -----

// A normalizer of the module wins.
// CHECK-NOT: math.exp
// CHECK: attn.normalizer @softmax {
// CHECK-NEXT: attn.pass ref = none
// CHECK-NOT: attn.normalizer
attn.normalizer @softmax {
  attn.pass ref = none phi(%s) {
    attn.yield %s : f32
  } sums(n = value)
  attn.finish(%n) {
    attn.yield %n : f32
  } outputs(o) empty(0.0)
}
attn.kernel @own(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>) -> (o: tensor<?x?x?x64xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// -----

// One of two is the module's own, the other comes from the library, once for two attends.
// CHECK: attn.normalizer @relu_n {
// CHECK: arith.maximumf
// CHECK-NOT: attn.normalizer @relu_n
// CHECK: attn.normalizer @sigmoid {
// CHECK-NOT: attn.normalizer
// CHECK: attn.kernel @mixed(
attn.normalizer @sigmoid {
  attn.pass ref = none phi(%s) {
    attn.yield %s : f32
  } sums(n = value)
  attn.finish(%n) {
    attn.yield %n : f32
  } outputs(o) empty(0.0)
}
attn.kernel @mixed(%q: tensor<?x64xf32>) -> (a: tensor<?x64xf32>, b: tensor<?x64xf32>, c: tensor<?x64xf32>) {
  %a = attn.attend dims(| i | j | c, e)
    q = %q[i, c] k = %q[j, c] v = %q[j, e]
    normalize = @sigmoid
    outputs o[i, e]
    : (tensor<?x64xf32>, tensor<?x64xf32>, tensor<?x64xf32>) -> tensor<?x64xf32>
  %b = attn.attend dims(| i | j | c, e)
    q = %q[i, c] k = %q[j, c] v = %q[j, e]
    normalize = @relu_n
    outputs o[i, e]
    : (tensor<?x64xf32>, tensor<?x64xf32>, tensor<?x64xf32>) -> tensor<?x64xf32>
  %c = attn.attend dims(| i | j | c, e)
    q = %q[i, c] k = %q[j, c] v = %q[j, e]
    normalize = @relu_n
    outputs o[i, e]
    : (tensor<?x64xf32>, tensor<?x64xf32>, tensor<?x64xf32>) -> tensor<?x64xf32>
  attn.return %a, %b, %c : tensor<?x64xf32>, tensor<?x64xf32>, tensor<?x64xf32>
}
