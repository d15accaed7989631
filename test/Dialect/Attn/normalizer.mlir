// RUN: %attn-opt %s --split-input-file | FileCheck %s
// RUN: %attn-opt %s --split-input-file --mlir-print-op-generic | %attn-opt --split-input-file | FileCheck %s
// RUN: %attn-opt %s --split-input-file --verify-roundtrip -o %t

// attn.normalizer, attn.pass, attn.finish.

// CHECK-LABEL: attn.normalizer @softmax {
// CHECK-NEXT: attn.pass ref = max gauge(%[[R0:.*]], %[[R1:.*]]) {
// CHECK-NEXT:   arith.subf %[[R0]], %[[R1]] : f32
// CHECK: } phi(%[[S:.*]], %[[R:.*]]) {
// CHECK-NEXT:   arith.subf %[[S]], %[[R]] : f32
// CHECK: } sums(l = one, n = value)
// CHECK-NEXT: attn.finish (%{{.*}}, %{{.*}}, %{{.*}}) {
// CHECK: } outputs(o, lse) empty(0.000000e+00, neg_inf)
attn.normalizer @softmax {
  attn.pass ref = max
    gauge(%r0, %r1) {
      %d = arith.subf %r0, %r1 : f32
      %g = math.exp %d : f32
      attn.yield %g : f32
    } phi(%s, %r) {
      %d = arith.subf %s, %r : f32
      %p = math.exp %d : f32
      attn.yield %p : f32
    } sums(l = one, n = value)
  attn.finish(%r, %l, %n) {
    %o = arith.divf %n, %l : f32
    %g = math.log %l : f32
    %e = arith.addf %r, %g : f32
    attn.yield %o, %e : f32, f32
  } outputs(o, lse) empty(0.0, neg_inf)
}

// No reference: phi of the score alone, no gauge.
// CHECK-LABEL: attn.normalizer @sigmoid {
// CHECK-NEXT: attn.pass ref = none phi(%{{.*}}) {
// CHECK: } sums(n = value)
// CHECK-NEXT: attn.finish (%{{.*}}) {
// CHECK: } outputs(o) empty(-1.500000e+00)
attn.normalizer @sigmoid {
  attn.pass ref = none phi(%s) {
    %one = arith.constant 1.0 : f32
    %m = arith.negf %s : f32
    %x = math.exp %m : f32
    %y = arith.addf %one, %x : f32
    %p = arith.divf %one, %y : f32
    attn.yield %p : f32
  } sums(n = value)
  attn.finish(%n) {
    attn.yield %n : f32
  } outputs(o) empty(-1.5)
}

// Two passes, several sums of one, no sum of value, an infinite empty value.
// CHECK-LABEL: attn.normalizer @two_passes {
// CHECK-NEXT: attn.pass ref = none phi(%{{.*}}) {
// CHECK: } sums(a = one)
// CHECK-NEXT: attn.pass ref = none phi(%{{.*}}) {
// CHECK: } sums(x = one, y = one)
// CHECK: } outputs(m) empty(inf)
attn.normalizer @two_passes {
  attn.pass ref = none phi(%s) {
    attn.yield %s : f32
  } sums(a = one)
  attn.pass ref = none phi(%s) {
    attn.yield %s : f32
  } sums(x = one, y = one)
  attn.finish(%x, %y) {
    attn.yield %x : f32
  } outputs(m) empty(inf)
}
