// RUN: %attn-opt %s | FileCheck %s

// Normalizers that obey the laws in ways that sampling has to see through.

// Units of 2, with constants that f32 rounds; the gauge of the same function in other words.
// CHECK: attn.normalizer @rounded
attn.normalizer @rounded {
  attn.pass ref = max
    gauge(%r0, %r1) {
      %d = arith.subf %r0, %r1 : f32
      %g = math.exp %d : f32
      attn.yield %g : f32
    } phi(%s, %r) {
      %c = arith.constant 1.44269504 : f32
      %d = arith.subf %s, %r : f32
      %e = arith.mulf %d, %c : f32
      %p = math.exp2 %e : f32
      attn.yield %p : f32
    } sums(l = one, n = value)
  attn.finish(%r, %l, %n) {
    %c = arith.constant 0.693147180 : f32
    %o = arith.divf %n, %l : f32
    %g = math.log2 %l : f32
    %e = math.fma %g, %c, %r : f32
    attn.yield %o, %e : f32, f32
  } outputs(o, lse) empty(0.0, neg_inf)
}

// A power for any base; a negative one has no powers, which decides nothing.
// CHECK: attn.normalizer @base
attn.normalizer @base(%b) {
  attn.pass ref = max
    gauge(%r0, %r1) {
      %d = arith.subf %r0, %r1 : f32
      %g = math.powf %b, %d : f32
      attn.yield %g : f32
    } phi(%s, %r) {
      %d = arith.subf %s, %r : f32
      %p = math.powf %b, %d : f32
      attn.yield %p : f32
    } sums(l = one, n = value)
  attn.finish(%r, %l, %n) {
    %o = arith.divf %n, %l : f32
    attn.yield %o : f32
  } outputs(o) empty(0.0)
}

// No difference at all: a ratio. Against the reference 0 it has no number.
// CHECK: attn.normalizer @ratio
attn.normalizer @ratio {
  attn.pass ref = max
    gauge(%r0, %r1) {
      %g = arith.divf %r0, %r1 : f32
      attn.yield %g : f32
    } phi(%s, %r) {
      %p = arith.divf %s, %r : f32
      attn.yield %p : f32
    } sums(l = one, n = value)
  attn.finish(%r, %l, %n) {
    %o = arith.divf %n, %l : f32
    %m = arith.mulf %l, %r : f32
    attn.yield %o, %m : f32, f32
  } outputs(o, sum) empty(0.0, 0.0)
}

// Overflows nearly everywhere: e^(30 (s - r)). Weights by a choice, and by a clamp that keeps the law.
// CHECK: attn.normalizer @steep
attn.normalizer @steep {
  attn.pass ref = max
    gauge(%r0, %r1) {
      %c = arith.constant 30.0 : f32
      %d = arith.subf %r0, %r1 : f32
      %e = arith.mulf %c, %d : f32
      %g = math.exp %e : f32
      attn.yield %g : f32
    } phi(%s, %r) {
      %zero = arith.constant 0.0 : f32
      %c = arith.constant 30.0 : f32
      %d = arith.subf %s, %r : f32
      %e = arith.mulf %c, %d : f32
      %p = math.exp %e : f32
      %in = arith.cmpf ogt, %s, %zero : f32
      %q = arith.select %in, %p, %zero : f32
      attn.yield %p, %q : f32, f32
    } sums(l = one, n = value of 1, a = one of 1 in 1, b = count in 3)
  attn.finish(%r, %l, %n, %a, %b) {
    %o = arith.divf %n, %l : f32
    %x = arith.divf %a, %l : f32
    attn.yield %o, %x, %b : f32, f32, f32
  } outputs(o, share, many) empty(0.0, 0.0, 0.0)
}

// entmax for any alpha above 1: below, phi would rise.
// CHECK: attn.normalizer @entmax
attn.normalizer @entmax(%alpha) {
  %m, %k = attn.pass ref = max
    gauge(%r0, %r1) {
      %one = arith.constant 1.0 : f32
      attn.yield %one : f32
    } phi(%s, %r) {
      attn.yield %s : f32
    } sums(c = count)
    stat(%r, %c) {
      attn.yield %r, %c : f32, f32
    }
  %tau = attn.root
    phi(%s, %x) {
      %zero = arith.constant 0.0 : f32
      %one = arith.constant 1.0 : f32
      %a = arith.subf %alpha, %one : f32
      %d = arith.subf %s, %m : f32
      %z = arith.mulf %d, %a : f32
      %y = arith.subf %z, %x : f32
      %w = arith.maximumf %y, %zero : f32
      %e = arith.divf %one, %a : f32
      %p = math.powf %w, %e : f32
      attn.yield %p : f32
    } to {
      %one = arith.constant 1.0 : f32
      %lo = arith.constant -1.0 : f32
      %a = arith.subf %one, %alpha : f32
      %e = math.powf %k, %a : f32
      %hi = arith.negf %e : f32
      attn.yield %one, %lo, %hi : f32, f32, f32
    } at_most 30
  attn.pass ref = none
    phi(%s) {
      %zero = arith.constant 0.0 : f32
      %one = arith.constant 1.0 : f32
      %a = arith.subf %alpha, %one : f32
      %d = arith.subf %s, %m : f32
      %z = arith.mulf %d, %a : f32
      %y = arith.subf %z, %tau : f32
      %w = arith.maximumf %y, %zero : f32
      %e = arith.divf %one, %a : f32
      %p = math.powf %w, %e : f32
      attn.yield %p : f32
    } sums(l = one, n = value)
  attn.finish(%l, %n) {
    %o = arith.divf %n, %l : f32
    attn.yield %o : f32
  } outputs(o) empty(0.0)
}

// A statistic of a root in a pass that has a reference; ops that MLIR does not fold.
// CHECK: attn.normalizer @behind_a_root
attn.normalizer @behind_a_root {
  %x = attn.root
    phi(%s, %x) {
      %zero = arith.constant 0.0 : f32
      %one = arith.constant 1.0 : f32
      %d = arith.subf %s, %x : f32
      %p = math.clampf %d to [%zero, %one] : f32
      attn.yield %p : f32
    } to {
      %one = arith.constant 1.0 : f32
      %lo = arith.constant -200.0 : f32
      %hi = arith.constant 200.0 : f32
      attn.yield %one, %lo, %hi : f32, f32, f32
    }
  attn.pass ref = max
    gauge(%r0, %r1) {
      %d = arith.subf %r0, %r1 : f32
      %g = math.exp %d : f32
      attn.yield %g : f32
    } phi(%s, %r) {
      %d = arith.subf %s, %r : f32
      %e = arith.addf %d, %x : f32
      %p = math.exp %e : f32
      attn.yield %p : f32
    } sums(l = one, n = value)
  attn.finish(%r, %l, %n) {
    %i = math.rsqrt %l : f32
    %j = arith.mulf %i, %i : f32
    %o = arith.mulf %n, %j : f32
    attn.yield %o : f32
  } outputs(o) empty(0.0)
}
