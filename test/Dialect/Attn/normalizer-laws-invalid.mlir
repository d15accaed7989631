// RUN: %attn-opt %s --split-input-file --verify-diagnostics

// Laws of normalizers that are looked at on samples: each error is a counterexample with its numbers.

attn.normalizer @normalizer_c3_exp2 {
  // expected-error@below {{[normalizer_c3] phi(1.5, 0) = 4.48169, but gauge(3, 0) phi(1.5, 3) = 1.78504; a weight changes with the reference by the gauge alone, phi(s, r1) = gauge(r0, r1) phi(s, r0): for e^(s - r) the gauge is e^(r0 - r1)}}
  attn.pass ref = max
    gauge(%r0, %r1) {
      %d = arith.subf %r0, %r1 : f32
      %p = math.exp2 %d : f32
      attn.yield %p : f32
    }
    phi(%s, %r) {
      %d = arith.subf %s, %r : f32
      %p = math.exp %d : f32
      attn.yield %p : f32
    }
    sums(l = one, n = value)
  attn.finish(%r, %l, %n) {
    %o = arith.divf %n, %l : f32
    attn.yield %o : f32
  } outputs(o) empty(0.0)
}

// -----

attn.normalizer @normalizer_c3_forgotten {
  // expected-error@below {{[normalizer_c3] phi(1.5, 0) = 4.48169, but gauge(3, 0) phi(1.5, 3) = 0.22313;}}
  attn.pass ref = max
    gauge(%r0, %r1) {
      %one = arith.constant 1.0 : f32
      attn.yield %one : f32
    }
    phi(%s, %r) {
      %d = arith.subf %s, %r : f32
      %p = math.exp %d : f32
      attn.yield %p : f32
    }
    sums(l = one, n = value)
  attn.finish(%r, %l, %n) {
    %o = arith.divf %n, %l : f32
    attn.yield %o : f32
  } outputs(o) empty(0.0)
}

// -----

attn.normalizer @normalizer_c3_turned {
  // expected-error@below {{[normalizer_c3] phi(1.5, 0) = 4.48169, but gauge(3, 0) phi(1.5, 3) = 0.011109;}}
  attn.pass ref = max
    gauge(%r0, %r1) {
      %d = arith.subf %r1, %r0 : f32
      %p = math.exp %d : f32
      attn.yield %p : f32
    }
    phi(%s, %r) {
      %d = arith.subf %s, %r : f32
      %p = math.exp %d : f32
      attn.yield %p : f32
    }
    sums(l = one, n = value)
  attn.finish(%r, %l, %n) {
    %o = arith.divf %n, %l : f32
    attn.yield %o : f32
  } outputs(o) empty(0.0)
}

// -----

attn.normalizer @normalizer_c3_itself {
  // expected-error@below {{[normalizer_c3] phi(1.5, 3) = 0.22313, but gauge(3, 3) phi(1.5, 3) = 0.44626;}}
  attn.pass ref = max
    gauge(%r0, %r1) {
      %d = arith.subf %r0, %r1 : f32
      %e = math.exp %d : f32
      %g = arith.addf %e, %e : f32
      attn.yield %g : f32
    }
    phi(%s, %r) {
      %d = arith.subf %s, %r : f32
      %p = math.exp %d : f32
      attn.yield %p : f32
    }
    sums(l = one, n = value)
  attn.finish(%r, %l, %n) {
    %o = arith.divf %n, %l : f32
    attn.yield %o : f32
  } outputs(o) empty(0.0)
}

// -----

attn.normalizer @normalizer_c3_sum {
  // expected-error@below {{[normalizer_c3] phi(1.5, 0) = 4.48169, but gauge(3, 0) phi(1.5, 3) = 64.7383;}}
  attn.pass ref = max
    gauge(%r0, %r1) {
      %d = arith.subf %r0, %r1 : f32
      %p = math.exp %d : f32
      attn.yield %p : f32
    }
    phi(%s, %r) {
      %d = arith.subf %s, %r : f32
      %e = math.exp %d : f32
      %p = arith.addf %e, %r : f32
      attn.yield %p : f32
    }
    sums(l = one, n = value)
  attn.finish(%r, %l, %n) {
    %o = arith.divf %n, %l : f32
    attn.yield %o : f32
  } outputs(o) empty(0.0)
}

// -----

attn.normalizer @normalizer_c3_second_weight {
  // expected-error@below {{[normalizer_c3] weight 1 of phi(1.5, 0) = 20.0855, but gauge(3, 0) weight 1 of phi(1.5, 3) = 1;}}
  attn.pass ref = max
    gauge(%r0, %r1) {
      %d = arith.subf %r0, %r1 : f32
      %p = math.exp %d : f32
      attn.yield %p : f32
    }
    phi(%s, %r) {
      %d = arith.subf %s, %r : f32
      %p = math.exp %d : f32
      %e = arith.addf %d, %d : f32
      %q = math.exp %e : f32
      attn.yield %p, %q : f32, f32
    }
    sums(l = one, n = value)
  attn.finish(%r, %l, %n) {
    %o = arith.divf %n, %l : f32
    attn.yield %o : f32
  } outputs(o) empty(0.0)
}

// -----

attn.normalizer @normalizer_c3_parameter(%b) {
  // expected-error@below {{[normalizer_c3] phi(1.5, 0) = 2.117, but gauge(3, 0) phi(1.5, 3) = 9.48774 (parameters 0.5);}}
  attn.pass ref = max
    gauge(%r0, %r1) {
      %d = arith.subf %r0, %r1 : f32
      %p = math.exp %d : f32
      attn.yield %p : f32
    }
    phi(%s, %r) {
      %d = arith.subf %s, %r : f32
      %e = arith.mulf %d, %b : f32
      %p = math.exp %e : f32
      attn.yield %p : f32
    }
    sums(l = one, n = value)
  attn.finish(%r, %l, %n) {
    %o = arith.divf %n, %l : f32
    attn.yield %o : f32
  } outputs(o) empty(0.0)
}

// -----

attn.normalizer @normalizer_c3_statistic {
  %t = attn.pass ref = none
    phi(%s) {
      attn.yield %s : f32
    }
    sums(a = one, c = count)
    stat(%a, %c) {
      %t = arith.divf %a, %c : f32
      attn.yield %t : f32
    }
  // expected-error@below {{[normalizer_c3] phi(1.5, 0) = 1.59375, but gauge(3, 0) phi(1.5, 3) = 32.0113;}}
  attn.pass ref = max
    gauge(%r0, %r1) {
      %d = arith.subf %r0, %r1 : f32
      %p = math.exp %d : f32
      attn.yield %p : f32
    }
    phi(%s, %r) {
      %d = arith.mulf %s, %t : f32
      attn.yield %d : f32
    }
    sums(l = one, n = value)
  attn.finish(%r, %l, %n) {
    %o = arith.divf %n, %l : f32
    attn.yield %o : f32
  } outputs(o) empty(0.0)
}

// -----

attn.normalizer @normalizer_c4_reference {
  attn.pass ref = max
    gauge(%r0, %r1) {
      %d = arith.subf %r0, %r1 : f32
      %p = math.exp %d : f32
      attn.yield %p : f32
    }
    phi(%s, %r) {
      %d = arith.subf %s, %r : f32
      %p = math.exp %d : f32
      attn.yield %p : f32
    }
    sums(l = one, n = value)
  // expected-error@below {{[normalizer_c4] output 'lse' of finish(3, 1.31726, 0.944699) is 3, but of finish(0, 26.4578, 18.9748), the sums of the same row against another reference, it is 0; how far a reference was raised depends on the order of the keys, so no result may: divide sums by sums, add the logarithm of a sum to the reference, or let stat yield the reference itself}}
  attn.finish(%r, %l, %n) {
    %o = arith.divf %n, %l : f32
    attn.yield %o, %r : f32, f32
  } outputs(o, lse) empty(0.0, neg_inf)
}

// -----

attn.normalizer @normalizer_c4_log {
  attn.pass ref = max
    gauge(%r0, %r1) {
      %d = arith.subf %r0, %r1 : f32
      %p = math.exp %d : f32
      attn.yield %p : f32
    }
    phi(%s, %r) {
      %d = arith.subf %s, %r : f32
      %p = math.exp %d : f32
      attn.yield %p : f32
    }
    sums(l = one, n = value)
  // expected-error@below {{[normalizer_c4] output 'lse' of finish(3, }}
  attn.finish(%r, %l, %n) {
    %o = arith.divf %n, %l : f32
    %g = math.log2 %l : f32
    %e = arith.addf %r, %g : f32
    attn.yield %o, %e : f32, f32
  } outputs(o, lse) empty(0.0, neg_inf)
}

// -----

attn.normalizer @normalizer_c4_sum {
  attn.pass ref = max
    gauge(%r0, %r1) {
      %d = arith.subf %r0, %r1 : f32
      %p = math.exp %d : f32
      attn.yield %p : f32
    }
    phi(%s, %r) {
      %d = arith.subf %s, %r : f32
      %p = math.exp %d : f32
      attn.yield %p : f32
    }
    sums(l = one, n = value)
  // expected-error@below {{[normalizer_c4] output 'o' of finish(3, }}
  attn.finish(%r, %l, %n) {
    attn.yield %n : f32
  } outputs(o) empty(0.0)
}

// -----

attn.normalizer @normalizer_c4_eps {
  attn.pass ref = max
    gauge(%r0, %r1) {
      %d = arith.subf %r0, %r1 : f32
      %p = math.exp %d : f32
      attn.yield %p : f32
    }
    phi(%s, %r) {
      %d = arith.subf %s, %r : f32
      %p = math.exp %d : f32
      attn.yield %p : f32
    }
    sums(l = one, n = value)
  // expected-error@below {{[normalizer_c4] output 'o' of finish(3, }}
  attn.finish(%r, %l, %n) {
    %one = arith.constant 1.0 : f32
    %d = arith.addf %l, %one : f32
    %o = arith.divf %n, %d : f32
    attn.yield %o : f32
  } outputs(o) empty(0.0)
}

// -----

attn.normalizer @normalizer_c4_stat {
  // expected-error@below {{[normalizer_c4] result 0 of stat(3, 1.31726) is 1.31726, but of stat(0, 26.4578), the sums of the same row against another reference, it is 26.4578;}}
  %t = attn.pass ref = max
    gauge(%r0, %r1) {
      %d = arith.subf %r0, %r1 : f32
      %p = math.exp %d : f32
      attn.yield %p : f32
    }
    phi(%s, %r) {
      %d = arith.subf %s, %r : f32
      %p = math.exp %d : f32
      attn.yield %p : f32
    }
    sums(l = one)
    stat(%r, %l) {
      attn.yield %l : f32
    }
  attn.pass ref = none
    phi(%s) {
      attn.yield %s : f32
    }
    sums(n = value)
  attn.finish(%n) {
    attn.yield %n : f32
  } outputs(o) empty(0.0)
}

// -----

attn.normalizer @normalizer_c4_stat_of_reference {
  // expected-error@below {{[normalizer_c4] result 0 of stat(3) is 6, but of stat(0)}}
  %m = attn.pass ref = max
    gauge(%r0, %r1) {
      %d = arith.subf %r0, %r1 : f32
      %p = math.exp %d : f32
      attn.yield %p : f32
    }
    phi(%s, %r) {
      %d = arith.subf %s, %r : f32
      %p = math.exp %d : f32
      attn.yield %p : f32
    }
    sums()
    stat(%r) {
      %t = arith.addf %r, %r : f32
      attn.yield %t : f32
    }
  attn.pass ref = none
    phi(%s) {
      attn.yield %s : f32
    }
    sums(n = value)
  attn.finish(%n) {
    attn.yield %n : f32
  } outputs(o) empty(0.0)
}

// -----

attn.normalizer @normalizer_c4_rsqrt {
  attn.pass ref = max
    gauge(%r0, %r1) {
      %d = arith.subf %r0, %r1 : f32
      %p = math.exp %d : f32
      attn.yield %p : f32
    }
    phi(%s, %r) {
      %d = arith.subf %s, %r : f32
      %p = math.exp %d : f32
      attn.yield %p : f32
    }
    sums(l = one, n = value)
  // expected-error@below {{[normalizer_c4] output 'o' of finish(3, }}
  attn.finish(%r, %l, %n) {
    %i = math.rsqrt %l : f32
    %o = arith.mulf %n, %i : f32
    attn.yield %o : f32
  } outputs(o) empty(0.0)
}

// -----

attn.normalizer @normalizer_c4_cbrt {
  attn.pass ref = max
    gauge(%r0, %r1) {
      %d = arith.subf %r0, %r1 : f32
      %p = math.exp %d : f32
      attn.yield %p : f32
    }
    phi(%s, %r) {
      %d = arith.subf %s, %r : f32
      %p = math.exp %d : f32
      attn.yield %p : f32
    }
    sums(l = one, n = value)
  // expected-error@below {{[normalizer_c4] output 'o' of finish(3, }}
  attn.finish(%r, %l, %n) {
    %i = math.cbrt %l : f32
    %o = arith.divf %n, %i : f32
    attn.yield %o : f32
  } outputs(o) empty(0.0)
}

// -----

attn.normalizer @normalizer_c4_fma {
  attn.pass ref = max
    gauge(%r0, %r1) {
      %d = arith.subf %r0, %r1 : f32
      %p = math.exp %d : f32
      attn.yield %p : f32
    }
    phi(%s, %r) {
      %d = arith.subf %s, %r : f32
      %p = math.exp %d : f32
      attn.yield %p : f32
    }
    sums(l = one, n = value)
  // expected-error@below {{[normalizer_c4] output 'o' of finish(3, }}
  attn.finish(%r, %l, %n) {
    %o = math.fma %n, %l, %l : f32
    attn.yield %o : f32
  } outputs(o) empty(0.0)
}

// -----

attn.normalizer @normalizer_c4_fpowi {
  attn.pass ref = max
    gauge(%r0, %r1) {
      %d = arith.subf %r0, %r1 : f32
      %p = math.exp %d : f32
      attn.yield %p : f32
    }
    phi(%s, %r) {
      %d = arith.subf %s, %r : f32
      %p = math.exp %d : f32
      attn.yield %p : f32
    }
    sums(l = one, n = value)
  // expected-error@below {{[normalizer_c4] output 'o' of finish(3, }}
  attn.finish(%r, %l, %n) {
    %i = arith.constant 2 : i32
    %m = math.fpowi %l, %i : f32, i32
    %o = arith.divf %n, %m : f32
    attn.yield %o : f32
  } outputs(o) empty(0.0)
}

// -----

attn.normalizer @normalizer_c4_clampf {
  attn.pass ref = max
    gauge(%r0, %r1) {
      %d = arith.subf %r0, %r1 : f32
      %p = math.exp %d : f32
      attn.yield %p : f32
    }
    phi(%s, %r) {
      %d = arith.subf %s, %r : f32
      %p = math.exp %d : f32
      attn.yield %p : f32
    }
    sums(l = one, n = value)
  // expected-error@below {{[normalizer_c4] output 'o' of finish(3, }}
  attn.finish(%r, %l, %n) {
    %z = arith.constant 0.0 : f32
    %i = arith.constant 20.0 : f32
    %m = math.clampf %l to [%z, %i] : f32
    %o = arith.divf %n, %m : f32
    attn.yield %o : f32
  } outputs(o) empty(0.0)
}
