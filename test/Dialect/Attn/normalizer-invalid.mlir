// RUN: %attn-opt %s --split-input-file --verify-diagnostics

// Rules of attn.normalizer.

// expected-error@below {{[normalizer_c1] a normalizer ends with attn.finish}}
attn.normalizer @normalizer_c1_order {
  attn.pass ref = none phi(%s) {
    attn.yield %s : f32
  } sums(n = value)
  attn.finish(%n) {
    attn.yield %n : f32
  } outputs(o) empty(0.0)
  attn.pass ref = none phi(%s) {
    attn.yield %s : f32
  } sums(n = value)
}

// -----

// expected-error@below {{[normalizer_c1] a normalizer has at least one attn.pass}}
attn.normalizer @normalizer_c1_no_pass {
  attn.finish(%n) {
    attn.yield %n : f32
  } outputs(o) empty(0.0)
}

// -----

// expected-error@below {{[normalizer_c1] a normalizer ends with attn.finish}}
attn.normalizer @normalizer_c1_no_finish {
  attn.pass ref = none phi(%s) {
    attn.yield %s : f32
  } sums(n = value)
}

// -----

attn.normalizer @normalizer_c1_two_finishes {
  attn.pass ref = none phi(%s) {
    attn.yield %s : f32
  } sums(n = value)
  // expected-error@below {{[normalizer_c1] a normalizer holds attn.pass ops, then one attn.finish}}
  attn.finish(%n) {
    attn.yield %n : f32
  } outputs(o) empty(0.0)
  attn.finish(%n) {
    attn.yield %n : f32
  } outputs(o) empty(0.0)
}

// -----

attn.normalizer @normalizer_c1_other {
  // expected-error@below {{[normalizer_c1] a normalizer holds attn.pass ops, then one attn.finish}}
  %c = arith.constant 1 : i32
  attn.pass ref = none phi(%s) {
    attn.yield %s : f32
  } sums(n = value)
  attn.finish(%n) {
    attn.yield %n : f32
  } outputs(o) empty(0.0)
}

// -----

// expected-error@below {{[normalizer_c2] the finish takes 1 arguments: the reference if there is one, then the sums of the last pass}}
attn.normalizer @normalizer_c2_count {
  attn.pass ref = none phi(%s) {
    attn.yield %s : f32
  } sums(n = value)
  attn.finish(%n, %m) {
    attn.yield %n : f32
  } outputs(o) empty(0.0)
}

// -----

// expected-error@below {{[normalizer_c2] the finish takes 3 arguments}}
attn.normalizer @normalizer_c2_reference {
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
  attn.finish(%l, %n) {
    %o = arith.divf %n, %l : f32
    %g = math.log %l : f32
    %e = arith.addf %l, %g : f32
    attn.yield %o, %e : f32, f32
  } outputs(o, lse) empty(0.0, neg_inf)
}
