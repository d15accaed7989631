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
  // expected-error@below {{[pass_sum] a sum is of `one`, of `value` or of `count`}}
  sums(n = key)
  attn.finish(%n) {
    attn.yield %n : f32
  } outputs(o) empty(0.0)
}

// -----

attn.normalizer @pass_c2_weights {
  // expected-error@below {{[pass_c2] phi yields 2 f32 values}}
  attn.pass ref = none
    phi(%s) {
      %c = arith.constant 1 : i32
      attn.yield %s, %c : f32, i32
    }
    sums(n = value)
  attn.finish(%n) {
    attn.yield %n : f32
  } outputs(o) empty(0.0)
}

// -----

attn.normalizer @pass_c2_nothing {
  // expected-error@below {{[pass_c2] phi yields 1 f32 value}}
  attn.pass ref = none
    phi(%s) {
      attn.yield
    }
    sums(n = value)
  attn.finish(%n) {
    attn.yield %n : f32
  } outputs(o) empty(0.0)
}

// -----

attn.normalizer @pass_c3_weight {
  // expected-error@below {{[pass_c3] the sum "n" is of weight 1, and phi yields 1; the first is 0}}
  attn.pass ref = none
    phi(%s) {
      attn.yield %s : f32
    }
    sums(n = value of 1)
  attn.finish(%n) {
    attn.yield %n : f32
  } outputs(o) empty(0.0)
}

// -----

attn.normalizer @pass_c3_negative {
  // expected-error@below {{[pass_c3] the sum "n" is of weight -1}}
  attn.pass ref = none
    phi(%s) {
      attn.yield %s : f32
    }
    sums(n = value of -1)
  attn.finish(%n) {
    attn.yield %n : f32
  } outputs(o) empty(0.0)
}

// -----

attn.normalizer @pass_c3_class {
  // expected-error@below {{[pass_c3] the sum "n" is over class 16; classes are 0 to 15}}
  attn.pass ref = none
    phi(%s) {
      attn.yield %s : f32
    }
    sums(n = value in 16)
  attn.finish(%n) {
    attn.yield %n : f32
  } outputs(o) empty(0.0)
}

// -----

attn.normalizer @pass_c3_class_negative {
  // expected-error@below {{[pass_c3] the sum "n" is over class -2}}
  attn.pass ref = none
    phi(%s) {
      attn.yield %s : f32
    }
    sums(n = value in -2)
  attn.finish(%n) {
    attn.yield %n : f32
  } outputs(o) empty(0.0)
}

// -----

attn.normalizer @pass_c3_values_of_a_class {
  // expected-error@below {{[pass_c3] at most one sum of `value` for each weight and class}}
  attn.pass ref = none
    phi(%s) {
      attn.yield %s : f32
    }
    sums(a = value in 1, n = value, b = value in 1)
  attn.finish(%a, %n, %b) {
    attn.yield %n : f32
  } outputs(o) empty(0.0)
}

// -----

attn.normalizer @pass_c4_seed {
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
    seed {
      // expected-error@below {{[pass_c4] is not allowed here; write it in arith and math}}
      %x = "builtin.unrealized_conversion_cast"() : () -> f32
      attn.yield %x, %x : f32, f32
    }
    sums(n = value)
  attn.finish(%r, %n) {
    attn.yield %n : f32
  } outputs(o) empty(0.0)
}

// -----

attn.normalizer @pass_c5 {
  // expected-error@below {{[pass_c5] only the last pass sums values}}
  attn.pass ref = none
    phi(%s) {
      attn.yield %s : f32
    }
    sums(n = value)
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

attn.normalizer @pass_c5_root {
  // expected-error@below {{[pass_c5] only the last pass sums values}}
  attn.pass ref = none
    phi(%s) {
      attn.yield %s : f32
    }
    sums(n = value)
  %x = attn.root
    phi(%s, %x) {
      attn.yield %s : f32
    }
    to {
      %c = arith.constant 0.0 : f32
      attn.yield %c, %c, %c : f32, f32, f32
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

attn.normalizer @pass_c6_reference {
  // expected-error@below {{[pass_c6] a seed is merged by the gauge, and a pass without reference has none; add it in the finish}}
  attn.pass ref = none
    phi(%s) {
      attn.yield %s : f32
    }
    seed {
      %c = arith.constant 0.0 : f32
      attn.yield %c : f32
    }
    sums(n = value)
  attn.finish(%n) {
    attn.yield %n : f32
  } outputs(o) empty(0.0)
}

// -----

attn.normalizer @pass_c6_count {
  // expected-error@below {{[pass_c6] a seed, with one for the reference and one for each sum, yields 3 f32 values}}
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
    seed {
      %c = arith.constant 0.0 : f32
      attn.yield %c, %c : f32, f32
    }
    sums(l = one, n = value)
  attn.finish(%r, %l, %n) {
    %o = arith.divf %n, %l : f32
    attn.yield %o : f32
  } outputs(o) empty(0.0)
}

// -----

attn.normalizer @pass_c6_arguments {
  // expected-error@below {{[pass_c6] a seed, with one for the reference and one for each sum, takes 0 f32 arguments}}
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
    seed(%r) {
      attn.yield %r, %r : f32, f32
    }
    sums(n = value)
  attn.finish(%n) {
    attn.yield %n : f32
  } outputs(o) empty(0.0)
}

// -----

attn.normalizer @pass_c7_arguments {
  // expected-error@below {{[pass_c7] stat, with one for the reference, if there is one, and for each sum but those of values, takes 2 f32 arguments}}
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
    sums(l = one, n = value)
    stat(%l) {
      attn.yield %l : f32
    }
  attn.finish(%n) {
    attn.yield %n : f32
  } outputs(o) empty(0.0)
}

// -----

attn.normalizer @pass_c7_values {
  // expected-error@below {{[pass_c7] stat, with one for the reference, if there is one, and for each sum but those of values, takes 1 f32 argument}}
  %t = attn.pass ref = none
    phi(%s) {
      attn.yield %s : f32
    }
    sums(l = one, n = value)
    stat(%l, %n) {
      attn.yield %n : f32
    }
  attn.finish(%n) {
    attn.yield %n : f32
  } outputs(o) empty(0.0)
}

// -----

attn.normalizer @pass_c7_type {
  // expected-error@below {{[pass_c7] stat, with one for the reference, if there is one, and for each sum but those of values, yields 1 f32 value}}
  %t = attn.pass ref = none
    phi(%s) {
      attn.yield %s : f32
    }
    sums(c = count)
    stat(%c) {
      %i = arith.fptosi %c : f32 to i32
      attn.yield %i : i32
    }
  attn.finish(%n) {
    attn.yield %n : f32
  } outputs(o) empty(0.0)
}

// -----

attn.normalizer @region_empty_phi {
  attn.pass ref = none
    // expected-error@below {{[region_empty] the region is empty; end it with attn.yield}}
    phi(%s) {
    }
    sums(n = value)
  attn.finish(%n) {
    attn.yield %n : f32
  } outputs(o) empty(0.0)
}

// -----

attn.normalizer @region_empty_seed {
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
    // expected-error@below {{[region_empty] the region is empty; end it with attn.yield}}
    seed {
    }
    sums(n = value)
  attn.finish(%n) {
    attn.yield %n : f32
  } outputs(o) empty(0.0)
}
