// RUN: %attn-opt %s --split-input-file --verify-diagnostics

// Rules of attn.pass.

attn.normalizer @pass_c1_max {
  // expected-error@below {{[pass_c1] a pass with a reference needs a gauge(%r0, %r1): how weights change when the reference moves}}
  attn.pass ref = max phi(%s, %r) {
    attn.yield %s : f32
  } sums(n = value)
  attn.finish(%r, %n) {
    attn.yield %n : f32
  } outputs(o) empty(0.0)
}

// -----

attn.normalizer @pass_c1_none {
  // expected-error@below {{[pass_c1] a pass without reference has no gauge}}
  attn.pass ref = none gauge(%a, %b) {
    attn.yield %a : f32
  } phi(%s, %r) {
    attn.yield %s : f32
  } sums(n = value)
  attn.finish(%n) {
    attn.yield %n : f32
  } outputs(o) empty(0.0)
}

// -----

attn.normalizer @pass_c2_phi_arguments {
  // expected-error@below {{[pass_c2] phi takes 1 f32 argument}}
  attn.pass ref = none phi(%s, %r) {
    attn.yield %s : f32
  } sums(n = value)
  attn.finish(%n) {
    attn.yield %n : f32
  } outputs(o) empty(0.0)
}

// -----

attn.normalizer @pass_c2_phi_of_max {
  // expected-error@below {{[pass_c2] phi takes 2 f32 arguments}}
  attn.pass ref = max gauge(%a, %b) {
    attn.yield %a : f32
  } phi(%s) {
    attn.yield %s : f32
  } sums(n = value)
  attn.finish(%r, %n) {
    attn.yield %n : f32
  } outputs(o) empty(0.0)
}

// -----

attn.normalizer @pass_c2_gauge_arguments {
  // expected-error@below {{[pass_c2] gauge takes 2 f32 arguments}}
  attn.pass ref = max gauge(%a) {
    attn.yield %a : f32
  } phi(%s, %r) {
    attn.yield %s : f32
  } sums(n = value)
  attn.finish(%r, %n) {
    attn.yield %n : f32
  } outputs(o) empty(0.0)
}

// -----

attn.normalizer @pass_c2_yield {
  // expected-error@below {{[pass_c2] phi yields 1 f32 value}}
  attn.pass ref = none phi(%s) {
    attn.yield %s, %s : f32, f32
  } sums(n = value)
  attn.finish(%n) {
    attn.yield %n : f32
  } outputs(o) empty(0.0)
}

// -----

attn.normalizer @pass_c2_type {
  // expected-error@below {{[pass_c2] phi yields 1 f32 value}}
  attn.pass ref = none phi(%s) {
    %w = arith.extf %s : f32 to f64
    attn.yield %w : f64
  } sums(n = value)
  attn.finish(%n) {
    attn.yield %n : f32
  } outputs(o) empty(0.0)
}

// -----

attn.normalizer @pass_c3_names {
  // expected-error@below {{[pass_c3] the sum "n" is listed twice}}
  attn.pass ref = none phi(%s) {
    attn.yield %s : f32
  } sums(n = one, n = value)
  attn.finish(%n) {
    attn.yield %n : f32
  } outputs(o) empty(0.0)
}

// -----

attn.normalizer @pass_c3_values {
  // expected-error@below {{[pass_c3] at most one sum of `value`}}
  attn.pass ref = none phi(%s) {
    attn.yield %s : f32
  } sums(n = value, m = value)
  attn.finish(%n, %m) {
    attn.yield %n : f32
  } outputs(o) empty(0.0)
}

// -----

attn.normalizer @pass_c3_identifier {
  // expected-error@below {{[pass_c3] "n.x" is no identifier; name sums with letters, digits and _}}
  attn.pass ref = none phi(%s) {
    attn.yield %s : f32
  } sums(n.x = value)
  attn.finish(%n) {
    attn.yield %n : f32
  } outputs(o) empty(0.0)
}

// -----

attn.normalizer @pass_c4_double {
  attn.pass ref = none phi(%s) {
    // expected-error@below {{[pass_c4] works on scalars here, not on 'f64'; there are f32, i1, i32, i64 and index}}
    %w = arith.extf %s : f32 to f64
    attn.yield %s : f32
  } sums(n = value)
  attn.finish(%n) {
    attn.yield %n : f32
  } outputs(o) empty(0.0)
}

// -----

attn.normalizer @pass_c4_load {
  attn.pass ref = none phi(%s) {
    // expected-error@below {{[pass_c4] is not allowed here; write it in arith and math}}
    %w = builtin.unrealized_conversion_cast %s : f32 to f32
    attn.yield %s : f32
  } sums(n = value)
  attn.finish(%n) {
    attn.yield %n : f32
  } outputs(o) empty(0.0)
}

// -----

attn.normalizer @pass_c4_bits {
  attn.pass ref = max gauge(%a, %b) {
    // expected-error@below {{[pass_c4] the bits of a float depend on the accumulation type; compute with its value}}
    %w = arith.bitcast %a : f32 to i32
    attn.yield %a : f32
  } phi(%s, %r) {
    attn.yield %s : f32
  } sums(n = value)
  attn.finish(%r, %n) {
    attn.yield %n : f32
  } outputs(o) empty(0.0)
}

// -----

attn.normalizer @pass_ref {
  // expected-error@below {{[pass_ref] a reference is max or none}}
  attn.pass ref = min phi(%s) {
    attn.yield %s : f32
  } sums(n = value)
  attn.finish(%n) {
    attn.yield %n : f32
  } outputs(o) empty(0.0)
}

// -----

attn.normalizer @pass_sum {
  attn.pass ref = none phi(%s) {
    attn.yield %s : f32
  }
  // expected-error@below {{[pass_sum] a sum is of `one` or of `value`}}
  sums(n = key)
  attn.finish(%n) {
    attn.yield %n : f32
  } outputs(o) empty(0.0)
}
