// RUN: %attn-opt %s --split-input-file | FileCheck %s
// RUN: %attn-opt %s --split-input-file --mlir-print-op-generic | %attn-opt --split-input-file | FileCheck %s
// RUN: %attn-opt %s --split-input-file --verify-roundtrip -o %t

// Parameters, seeds, statistics, several weights, classes, counts, roots, selections.

// CHECK-LABEL: attn.normalizer @seeded(%arg0, %arg1) {
// CHECK-NEXT: attn.pass ref = max gauge(
// CHECK: } seed {
// CHECK: attn.yield %arg0, %{{.*}}, %arg1, %{{.*}} : f32, f32, f32, f32
// CHECK: } sums(l = one, k = one, n = value)
// CHECK-NEXT: attn.finish (
attn.normalizer @seeded(%b, %w) {
  attn.pass ref = max
    gauge(%r0, %r1) {
      %d = arith.subf %r0, %r1 : f32
      %g = math.exp %d : f32
      attn.yield %g : f32
    } phi(%s, %r) {
      %d = arith.subf %s, %r : f32
      %p = math.exp %d : f32
      attn.yield %p : f32
    } seed {
      %one = arith.constant 1.0 : f32
      %zero = arith.constant 0.0 : f32
      attn.yield %b, %one, %w, %zero : f32, f32, f32, f32
    } sums(l = one, k = one, n = value)
  attn.finish(%r, %l, %k, %n) {
    %o = arith.divf %n, %l : f32
    attn.yield %o : f32
  } outputs(o) empty(0.0)
}

// Statistics of one pass are used in the next, whose weights are three, over classes of keys.
// CHECK-LABEL: attn.normalizer @classes {
// CHECK-NEXT: %[[T:.*]]:2 = attn.pass ref = none phi(
// CHECK: } sums(a = one in 3, c = count, d = count in 15) stat(%{{.*}}, %{{.*}}, %{{.*}}) {
// CHECK: attn.yield %{{.*}}, %{{.*}} : f32, f32
// CHECK: attn.pass ref = none phi(
// CHECK: arith.mulf %{{.*}}, %[[T]]#1 : f32
// CHECK: } sums(l = one of 2, m = value of 1 in 0, n = value of 1 in 3, o = value)
// CHECK-NEXT: attn.finish (
attn.normalizer @classes {
  %t:2 = attn.pass ref = none
    phi(%s) {
      attn.yield %s : f32
    } sums(a = one in 3, c = count, d = count in 15)
    stat(%a, %c, %d) {
      %x = arith.divf %a, %c : f32
      attn.yield %x, %d : f32, f32
    }
  attn.pass ref = none
    phi(%s) {
      %x = arith.mulf %s, %t#1 : f32
      %y = arith.addf %s, %t#0 : f32
      attn.yield %s, %x, %y : f32, f32, f32
    } sums(l = one of 2, m = value of 1 in 0, n = value of 1 in 3, o = value)
  attn.finish(%l, %m, %n, %o) {
    %x = arith.addf %m, %n : f32
    %y = arith.addf %x, %o : f32
    attn.yield %y, %l, %t#0 : f32, f32, f32
  } outputs(o, l, mean) empty(0.0, 0.0, 0.0)
}

// A seed and statistics in one pass; a stat yields the reference itself.
// CHECK-LABEL: attn.normalizer @seed_and_stat {
// CHECK: } seed {
// CHECK: } sums(l = one) stat(
// CHECK: attn.root phi(
// CHECK: } to {
// CHECK: } at_most 12
attn.normalizer @seed_and_stat {
  %m, %l = attn.pass ref = max
    gauge(%r0, %r1) {
      %d = arith.subf %r0, %r1 : f32
      %g = math.exp2 %d : f32
      attn.yield %g : f32
    } phi(%s, %r) {
      %d = arith.subf %s, %r : f32
      %p = math.exp2 %d : f32
      attn.yield %p : f32
    } seed {
      %zero = arith.constant 0.0 : f32
      attn.yield %zero, %zero : f32, f32
    } sums(l = one)
    stat(%r, %l) {
      %x = math.log2 %l : f32
      %y = arith.addf %x, %r : f32
      attn.yield %r, %y : f32, f32
    }
  %x = attn.root
    phi(%s, %x) {
      %zero = arith.constant 0.0 : f32
      %d = arith.subf %s, %m : f32
      %e = arith.subf %d, %x : f32
      %p = arith.maximumf %e, %zero : f32
      attn.yield %p : f32
    } to {
      %c = arith.constant 1.0 : f32
      %lo = arith.constant -1000.0 : f32
      %hi = arith.constant 0.0 : f32
      attn.yield %c, %lo, %hi : f32, f32, f32
    } at_most 12
  attn.pass ref = none
    phi(%s) {
      %d = arith.subf %s, %x : f32
      attn.yield %d : f32
    } sums(n = value)
  attn.finish(%n) {
    attn.yield %n, %l : f32, f32
  } outputs(o, lse) empty(0.0, neg_inf)
}

// Sweeps that are the usual number are not written.
// CHECK-LABEL: attn.normalizer @root_alone {
// CHECK-NEXT: %[[X:.*]] = attn.root phi(%{{.*}}, %{{.*}}) {
// CHECK: } to {
// CHECK: }
// CHECK-NEXT: attn.pass
// CHECK: attn.yield %[[X]] : f32
attn.normalizer @root_alone {
  %x = attn.root
    phi(%s, %x) {
      %m = arith.negf %x : f32
      attn.yield %m : f32
    } to {
      %lo = arith.constant -1.0 : f32
      %hi = arith.constant 1.0 : f32
      attn.yield %lo, %lo, %hi : f32, f32, f32
    } at_most 40
  attn.pass ref = none
    phi(%s) {
      attn.yield %x : f32
    } sums(n = value)
  attn.finish(%n) {
    attn.yield %n : f32
  } outputs(o) empty(0.0)
}

// CHECK-LABEL: attn.normalizer @chosen(%{{.*}}) {
// CHECK-NEXT: attn.select largest
// CHECK-NEXT: attn.finish (%{{.*}}, %{{.*}}) {
attn.normalizer @chosen(%b) {
  attn.select largest
  attn.finish(%s, %v) {
    %x = arith.addf %s, %b : f32
    attn.yield %v, %x : f32, f32
  } outputs(o, x) empty(0.0, neg_inf)
}

// No sum at all: the finish takes the reference alone.
// CHECK-LABEL: attn.normalizer @no_sums {
// CHECK: } sums() stat(%[[R:.*]]) {
// CHECK-NEXT: attn.yield %[[R]] : f32
// CHECK: } sums()
// CHECK-NEXT: attn.finish {
attn.normalizer @no_sums {
  %m = attn.pass ref = max
    gauge(%r0, %r1) {
      %one = arith.constant 1.0 : f32
      attn.yield %one : f32
    } phi(%s, %r) {
      attn.yield %s : f32
    } sums()
    stat(%r) {
      attn.yield %r : f32
    }
  attn.pass ref = none
    phi(%s) {
      attn.yield %s : f32
    } sums()
  attn.finish {
    attn.yield %m : f32
  } outputs(max) empty(neg_inf)
}
