// RUN: %attn-opt %s --split-input-file --verify-diagnostics

// Rules of attn.root.

attn.normalizer @root_c1_arguments {
  // expected-error@below {{[root_c1] phi takes 2 f32 arguments}}
  %x = attn.root
    phi(%s) {
      attn.yield %s : f32
    }
    to {
      %c = arith.constant 1.0 : f32
      %hi = arith.constant 0.0 : f32
      %lo = arith.constant -99.0 : f32
      attn.yield %c, %lo, %hi : f32, f32, f32
    }
  attn.pass ref = none
    phi(%s) {
      %d = arith.subf %s, %x : f32
      attn.yield %d : f32
    }
    sums(n = value)
  attn.finish(%n) {
    attn.yield %n : f32
  } outputs(o) empty(0.0)
}

// -----

attn.normalizer @root_c1_weights {
  // expected-error@below {{[root_c1] phi yields 1 f32 value}}
  %x = attn.root
    phi(%s, %x) {
      attn.yield %s, %x : f32, f32
    }
    to {
      %c = arith.constant 1.0 : f32
      %hi = arith.constant 0.0 : f32
      %lo = arith.constant -99.0 : f32
      attn.yield %c, %lo, %hi : f32, f32, f32
    }
  attn.pass ref = none
    phi(%s) {
      %d = arith.subf %s, %x : f32
      attn.yield %d : f32
    }
    sums(n = value)
  attn.finish(%n) {
    attn.yield %n : f32
  } outputs(o) empty(0.0)
}

// -----

attn.normalizer @root_c1_to {
  // expected-error@below {{[root_c1] `to`, with the target, lo and hi, yields 3 f32 values}}
  %x = attn.root
    phi(%s, %x) {
      %zero = arith.constant 0.0 : f32
      %d = arith.subf %s, %x : f32
      %p = arith.maximumf %d, %zero : f32
      attn.yield %p : f32
    }
    to {
      %c = arith.constant 1.0 : f32
      attn.yield %c, %c : f32, f32
    }
  attn.pass ref = none
    phi(%s) {
      %d = arith.subf %s, %x : f32
      attn.yield %d : f32
    }
    sums(n = value)
  attn.finish(%n) {
    attn.yield %n : f32
  } outputs(o) empty(0.0)
}

// -----

attn.normalizer @root_c1_to_arguments {
  // expected-error@below {{[root_c1] `to`, with the target, lo and hi, takes 0 f32 arguments}}
  %x = attn.root
    phi(%s, %x) {
      %zero = arith.constant 0.0 : f32
      %d = arith.subf %s, %x : f32
      %p = arith.maximumf %d, %zero : f32
      attn.yield %p : f32
    }
    to(%c) {
      attn.yield %c, %c, %c : f32, f32, f32
    }
  attn.pass ref = none
    phi(%s) {
      %d = arith.subf %s, %x : f32
      attn.yield %d : f32
    }
    sums(n = value)
  attn.finish(%n) {
    attn.yield %n : f32
  } outputs(o) empty(0.0)
}

// -----

attn.normalizer @root_c2_phi {
  %x = attn.root
    phi(%s, %x) {
      // expected-error@below {{[root_c2] works on scalars here, not on 'f64'}}
      %w = arith.extf %s : f32 to f64
      attn.yield %s : f32
    }
    to {
      %c = arith.constant 1.0 : f32
      %hi = arith.constant 0.0 : f32
      %lo = arith.constant -99.0 : f32
      attn.yield %c, %lo, %hi : f32, f32, f32
    }
  attn.pass ref = none
    phi(%s) {
      %d = arith.subf %s, %x : f32
      attn.yield %d : f32
    }
    sums(n = value)
  attn.finish(%n) {
    attn.yield %n : f32
  } outputs(o) empty(0.0)
}

// -----

attn.normalizer @root_c2_to {
  %x = attn.root
    phi(%s, %x) {
      %zero = arith.constant 0.0 : f32
      %d = arith.subf %s, %x : f32
      %p = arith.maximumf %d, %zero : f32
      attn.yield %p : f32
    }
    to {
      %c = arith.constant 0 : i32
      // expected-error@below {{[root_c2] the bits of a float depend on the accumulation type; compute with its value}}
      %w = arith.bitcast %c : i32 to f32
      attn.yield %w, %w, %w : f32, f32, f32
    }
  attn.pass ref = none
    phi(%s) {
      %d = arith.subf %s, %x : f32
      attn.yield %d : f32
    }
    sums(n = value)
  attn.finish(%n) {
    attn.yield %n : f32
  } outputs(o) empty(0.0)
}

// -----

attn.normalizer @root_c3_none {
  // expected-error@below {{[root_c3] a root is found in at most 1 to 200 sweeps, not 0}}
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
    at_most 0
  attn.pass ref = none
    phi(%s) {
      %d = arith.subf %s, %x : f32
      attn.yield %d : f32
    }
    sums(n = value)
  attn.finish(%n) {
    attn.yield %n : f32
  } outputs(o) empty(0.0)
}

// -----

attn.normalizer @root_c3_many {
  // expected-error@below {{[root_c3] a root is found in at most 1 to 200 sweeps, not 201}}
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
    at_most 201
  attn.pass ref = none
    phi(%s) {
      %d = arith.subf %s, %x : f32
      attn.yield %d : f32
    }
    sums(n = value)
  attn.finish(%n) {
    attn.yield %n : f32
  } outputs(o) empty(0.0)
}

// -----

attn.normalizer @root_c3_negative {
  // expected-error@below {{[root_c3] a root is found in at most 1 to 200 sweeps, not -4}}
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
    at_most -4
  attn.pass ref = none
    phi(%s) {
      %d = arith.subf %s, %x : f32
      attn.yield %d : f32
    }
    sums(n = value)
  attn.finish(%n) {
    attn.yield %n : f32
  } outputs(o) empty(0.0)
}

// -----

attn.normalizer @root_c4_rises {
  // expected-error@below {{[root_c4] phi rises: phi(1.5, -2) = 0, phi(1.5, -0.75) = 0.75; a root is found in a sum that falls with x: take the negative of x}}
  %x = attn.root
    phi(%s, %x) {
      %zero = arith.constant 0.0 : f32
      %d = arith.addf %s, %x : f32
      %p = arith.maximumf %d, %zero : f32
      attn.yield %p : f32
    }
    to {
      %c = arith.constant 1.0 : f32
      %lo = arith.constant -2.0 : f32
      %hi = arith.constant 3.0 : f32
      attn.yield %c, %lo, %hi : f32, f32, f32
    }
  attn.pass ref = none
    phi(%s) {
      %d = arith.subf %s, %x : f32
      attn.yield %d : f32
    }
    sums(n = value)
  attn.finish(%n) {
    attn.yield %n : f32
  } outputs(o) empty(0.0)
}

// -----

attn.normalizer @root_c4_for_every_parameter(%b) {
  // expected-error@below {{[root_c4] phi rises: phi(1.5, -2) = 0, phi(1.5, -0.75) = 0.75 (parameters 0.5); a root}}
  %x = attn.root
    phi(%s, %x) {
      %zero = arith.constant 0.0 : f32
      %d = arith.addf %s, %x : f32
      %p = arith.maximumf %d, %zero : f32
      attn.yield %p : f32
    }
    to {
      %c = arith.constant 1.0 : f32
      %lo = arith.constant -2.0 : f32
      %hi = arith.constant 3.0 : f32
      attn.yield %c, %lo, %hi : f32, f32, f32
    }
  attn.pass ref = none
    phi(%s) {
      %d = arith.subf %s, %x : f32
      attn.yield %d : f32
    }
    sums(n = value)
  attn.finish(%n) {
    attn.yield %n : f32
  } outputs(o) empty(0.0)
}

// -----

attn.normalizer @root_c5_low {
  // expected-error@below {{[root_c5] at lo = -2 the weights sum to 0, below the target 1, for the scores -2, -2, -2, -2; yield a lo so low that they sum to the target at least}}
  %x = attn.root
    phi(%s, %x) {
      %zero = arith.constant 0.0 : f32
      %d = arith.subf %s, %x : f32
      %p = arith.maximumf %d, %zero : f32
      attn.yield %p : f32
    }
    to {
      %c = arith.constant 1.0 : f32
      %lo = arith.constant -2.0 : f32
      %hi = arith.constant 3.0 : f32
      attn.yield %c, %lo, %hi : f32, f32, f32
    }
  attn.pass ref = none
    phi(%s) {
      %d = arith.subf %s, %x : f32
      attn.yield %d : f32
    }
    sums(n = value)
  attn.finish(%n) {
    attn.yield %n : f32
  } outputs(o) empty(0.0)
}

// -----

attn.normalizer @root_c5_order {
  // expected-error@below {{[root_c5] lo = 3 is above hi = -2 for the scores 1.5, -0.5, 0.25, 3; yield the target, then lo, then hi}}
  %x = attn.root
    phi(%s, %x) {
      %zero = arith.constant 0.0 : f32
      %d = arith.subf %s, %x : f32
      %p = arith.maximumf %d, %zero : f32
      attn.yield %p : f32
    }
    to {
      %c = arith.constant 1.0 : f32
      %lo = arith.constant 3.0 : f32
      %hi = arith.constant -2.0 : f32
      attn.yield %c, %lo, %hi : f32, f32, f32
    }
  attn.pass ref = none
    phi(%s) {
      %d = arith.subf %s, %x : f32
      attn.yield %d : f32
    }
    sums(n = value)
  attn.finish(%n) {
    attn.yield %n : f32
  } outputs(o) empty(0.0)
}
