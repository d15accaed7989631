// RUN: %attn-opt %s --split-input-file --attn-link-normalizers --attn-expand-lse | FileCheck %s

// An lse that the normalizer has not is a statistic of a pass in front; one that it has stays as it is.

!t = tensor<?x?x64xf32>
!r = tensor<?x?xf32>
// CHECK: attn.normalizer @sigmoid(
// CHECK: outputs(o)
// CHECK: attn.normalizer @sigmoid_with_lse(
// CHECK: %[[LSE:.*]] = attn.pass ref = max
// CHECK: attn.pass ref = none
// CHECK: attn.finish (%[[N:.*]]) {
// CHECK-NEXT: attn.yield %[[N]], %[[LSE]] : f32, f32
// CHECK-NEXT: } outputs(o, lse) empty(0.000000e+00, neg_inf)
// CHECK-NOT: attn.normalizer
// CHECK-LABEL: attn.kernel @asked
attn.kernel @asked(%q: !t, %k: !t, %v: !t) -> (a: !t, b: !r, c: !t, d: !r) {
  // CHECK: normalize = @sigmoid_with_lse(-1.000000e+00)
  %a, %b = attn.attend dims(b | i | j | c, e)
    q = %q[b, i, c] k = %k[b, j, c] v = %v[b, j, e]
    normalize = @sigmoid(-1.0)
    outputs o[b, i, e], lse[b, i]
    : (!t, !t, !t) -> (!t, !r)
  // CHECK: normalize = @sigmoid_with_lse(5.000000e-01)
  // CHECK: epilogue(o = %{{.*}}, lse = %{{.*}})
  %c = attn.attend dims(b | i | j | c, e)
    q = %q[b, i, c] k = %k[b, j, c] v = %v[b, j, e]
    normalize = @sigmoid(0.5)
    epilogue(o = %x, lse = %l) -> (y) {
      %z = arith.mulf %x, %l : f32
      attn.yield %z : f32
    }
    outputs y[b, i, e]
    : (!t, !t, !t) -> !t
  // CHECK: normalize = @sigmoid(1.000000e+00)
  // CHECK: reduce lse = max
  %d = attn.attend dims(b | i | j | c, e)
    q = %q[b, i, c] k = %k[b, j, c] v = %v[b, j, e]
    normalize = @sigmoid(1.0)
    reduce lse = max
    outputs lse[b, i]
    : (!t, !t, !t) -> !r
  attn.return %a, %b, %c, %d : !t, !r, !t, !r
}

// -----

!t = tensor<?x?x64xf32>
!r = tensor<?x?xf32>
// CHECK-LABEL: attn.kernel @own
// CHECK-NOT: _with_lse
attn.kernel @own(%q: !t, %k: !t, %v: !t) -> (a: !t, b: !r) {
  %a, %b = attn.attend dims(b | i | j | c, e)
    q = %q[b, i, c] k = %k[b, j, c] v = %v[b, j, e]
    outputs o[b, i, e], lse[b, i]
    : (!t, !t, !t) -> (!t, !r)
  attn.return %a, %b : !t, !r
}
