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
  // expected-error@below {{[normalizer_c1] a normalizer holds attn.pass, attn.root and attn.select, then one attn.finish}}
  attn.finish(%n) {
    attn.yield %n : f32
  } outputs(o) empty(0.0)
  attn.finish(%n) {
    attn.yield %n : f32
  } outputs(o) empty(0.0)
}

// -----

attn.normalizer @normalizer_c1_other {
  // expected-error@below {{[normalizer_c1] a normalizer holds attn.pass, attn.root and attn.select, then one attn.finish}}
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

// -----

// expected-error@below {{[normalizer_c1] parameters of a normalizer are f32}}
"attn.normalizer"() <{sym_name = "normalizer_c1_parameter"}> ({
^bb0(%b: f64):
  attn.pass ref = none
    phi(%s) {
      attn.yield %s : f32
    }
    sums(n = value)
  attn.finish(%n) {
    attn.yield %n : f32
  } outputs(o) empty(0.0)
}) : () -> ()

// -----

attn.normalizer @normalizer_c1_select_then_pass {
  attn.select largest
  // expected-error@below {{[normalizer_c1] a selection is the last step; the finish follows}}
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

attn.normalizer @normalizer_c1_two_selections {
  attn.select largest
  // expected-error@below {{[normalizer_c1] a selection is the last step; the finish follows}}
  attn.select largest
  attn.finish(%s, %v) {
    attn.yield %v : f32
  } outputs(o) empty(0.0)
}

// -----

attn.normalizer @normalizer_c1_root_last {
  // expected-error@below {{[normalizer_c1] a root gives a statistic; an attn.pass that uses it follows}}
  %x = attn.root
    phi(%s, %x) {
      %zero = arith.constant 0.0 : f32
      %d = arith.subf %s, %x : f32
      %p = arith.maximumf %d, %zero : f32
      attn.yield %p : f32
    }
    to {
      %c = arith.constant 1.0 : f32
      %hi = arith.constant 0.0 : f32
      %lo = arith.constant -99.0 : f32
      attn.yield %c, %lo, %hi : f32, f32, f32
    }
  attn.finish(%n) {
    attn.yield %n : f32
  } outputs(o) empty(0.0)
}

// -----

// expected-error@below {{[normalizer_c2] the finish takes 2 arguments: the selected score and its value}}
attn.normalizer @normalizer_c2_select {
  attn.select largest
  attn.finish(%n) {
    attn.yield %n : f32
  } outputs(o) empty(0.0)
}

// -----

// expected-error@below {{[normalizer_c2] the finish takes 3 arguments: the reference if there is one, then the sums of the last pass}}
attn.normalizer @normalizer_c2_value {
  attn.pass ref = none
    phi(%s) {
      attn.yield %s : f32
    }
    sums(a = one, n = value, c = count)
  attn.finish(%n) {
    attn.yield %n : f32
  } outputs(o) empty(0.0)
}
