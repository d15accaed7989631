// RUN: %attn-opt %s --split-input-file --verify-diagnostics

// Rules of attn.finish.

attn.normalizer @finish_c1_yield {
  attn.pass ref = none phi(%s) {
    attn.yield %s : f32
  } sums(n = value)
  // expected-error@below {{[finish_c1] the finish yields 1 f32 value}}
  attn.finish(%n) {
    attn.yield %n, %n : f32, f32
  } outputs(o) empty(0.0)
}

// -----

attn.normalizer @finish_c1_empty {
  attn.pass ref = none phi(%s) {
    attn.yield %s : f32
  } sums(n = value)
  // expected-error@below {{[finish_c1] one empty value for every output}}
  attn.finish(%n) {
    attn.yield %n : f32
  } outputs(o) empty(0.0, 1.0)
}

// -----

attn.normalizer @finish_c1_number {
  attn.pass ref = none phi(%s) {
    attn.yield %s : f32
  } sums(n = value)
  attn.finish(%n) {
    attn.yield %n : f32
  } outputs(o)
  // expected-error@below {{[finish_c1] an empty value is a number, inf or neg_inf}}
  empty(nothing)
}

// -----

attn.normalizer @finish_c2 {
  attn.pass ref = none phi(%s) {
    attn.yield %s : f32
  } sums(n = value)
  // expected-error@below {{[finish_c2] the output "o" is listed twice}}
  attn.finish(%n) {
    attn.yield %n, %n : f32, f32
  } outputs(o, o) empty(0.0, 0.0)
}

// -----

attn.normalizer @finish_c2_identifier {
  attn.pass ref = none phi(%s) {
    attn.yield %s : f32
  } sums(n = value)
  // expected-error@below {{[finish_c2] "o.x" is no identifier; name outputs with letters, digits and _}}
  attn.finish(%n) {
    attn.yield %n : f32
  } outputs(o.x) empty(0.0)
}

// -----

attn.normalizer @finish_c3 {
  attn.pass ref = none phi(%s) {
    attn.yield %s : f32
  } sums(n = value)
  attn.finish(%n) {
    // expected-error@below {{[finish_c3] works on scalars here, not on 'f16'}}
    %w = arith.truncf %n : f32 to f16
    attn.yield %n : f32
  } outputs(o) empty(0.0)
}

// -----

attn.normalizer @finish_c4 {
  attn.pass ref = none phi(%s) {
    attn.yield %s : f32
  } sums(n = value)
  // expected-error@below {{[finish_c4] an empty value is a number, inf or neg_inf}}
  "attn.finish"() <{out_names = ["o"], empty = [0x7FF8000000000000 : f64]}> ({
  ^bb0(%n: f32):
    attn.yield %n : f32
  }) : () -> ()
}
