// RUN: %attn-opt %s --split-input-file --verify-diagnostics

// Scale, regions and normalizer: one case a label and way to break it.

attn.kernel @attend_c7_score_type(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>) -> (o: tensor<?x?x?x64xf32>) {
  // expected-error@below {{[attend_c7] end the score region with `attn.yield %t : 'f32'`}}
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    score(%s, i = %i, j = %j) {
      attn.yield %i : index
    }
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// -----

attn.kernel @attend_c7_score_count(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>) -> (o: tensor<?x?x?x64xf32>) {
  // expected-error@below {{[attend_c7] end the score region with `attn.yield %t : 'f32'`}}
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    score(%s, i = %i, j = %j) {
      attn.yield %s, %s : f32, f32
    }
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// -----

attn.kernel @attend_c7_score_acc(%q: tensor<?x?x?x64xf64>, %k: tensor<?x?x?x64xf64>, %v: tensor<?x?x?x64xf64>) -> (o: tensor<?x?x?x64xf64>) {
  // expected-error@below {{[attend_c7] scores of these operands are 'f64'; write `score(%s : 'f64', ...)`}}
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    score(%s, i = %i, j = %j) {
      attn.yield %s : f32
    }
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf64>, tensor<?x?x?x64xf64>, tensor<?x?x?x64xf64>) -> (tensor<?x?x?x64xf64>)
  attn.return %r0 : tensor<?x?x?x64xf64>
}

// -----

attn.kernel @attend_c10_unknown(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>) -> (o: tensor<?x?x?x64xf32>) {
  // expected-error@below {{[attend_c10] there is no normalizer @hardmax in the module or the library}}
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    normalize = @hardmax
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// -----

attn.kernel @attend_c12_type(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>, %x: index) -> (o: tensor<?x?x?x64xf32>) {
  // expected-error@below {{[attend_c12] the scale is a constant or a scalar f32 or f64, not 'index'}}
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    scale = %x
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// -----

attn.kernel @attend_c12_tensor(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>, %x: tensor<?xf32>) -> (o: tensor<?x?x?x64xf32>) {
  // expected-error@below {{[attend_c12] the scale is a constant or a scalar f32 or f64, not 'tensor<?xf32>'}}
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    scale = %x
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// -----

attn.kernel @attend_clause(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>) -> (o: tensor<?x?x?x64xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    scale = 1.0
    // expected-error@below {{[attend_clause] 'scale' is given twice}}
    scale = 2.0
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// -----

attn.kernel @region_empty(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>) -> (o: tensor<?x?x?x64xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    // expected-error@below {{[region_empty] the region is empty; end it with attn.yield}}
    score(%s) {
    }
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// -----

attn.kernel @attend_c9_dialect(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>) -> (o: tensor<?x?x?x64xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    score(%s, i = %i, j = %j) {
      // expected-error@below {{[attend_c9] is not allowed here; write it in arith, math, attn.load, attn.member and attn.random}}
      %x = "builtin.unrealized_conversion_cast"(%s) : (f32) -> f32
      attn.yield %x : f32
    }
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// -----

attn.kernel @attend_c9_region(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>, %b0: index) -> (o: tensor<?x?x?x64xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    score(%s, i = %i, j = %j) {
      %z = arith.constant true
      // expected-error@below {{[attend_c9] is not allowed here; write it in arith, math, attn.load, attn.member and attn.random}}
      %x = scf.if %z -> f32 {
        scf.yield %s : f32
      } else {
        scf.yield %s : f32
      }
      attn.yield %x : f32
    }
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// -----

attn.kernel @attend_c9_set_in_score(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>) -> (o: tensor<?x?x?x64xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    score(%s, i = %i, j = %j) {
      // expected-error@below {{[attend_c9] is not allowed here}}
      %x = attn.set.full
      attn.yield %s : f32
    }
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// -----

attn.kernel @attend_c9_vector(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>) -> (o: tensor<?x?x?x64xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    score(%s, i = %i, j = %j) {
      // expected-error@below {{[attend_c9] works on scalars here, not on 'vector<4xf32>'}}
      %x = arith.constant dense<1.0> : vector<4xf32>
      attn.yield %s : f32
    }
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// -----

attn.kernel @attend_c9_i128(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>) -> (o: tensor<?x?x?x64xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    score(%s, i = %i, j = %j) {
      // expected-error@below {{[attend_c9] works on scalars here, not on 'i128'; there are index, i1, i8, i16, i32, i64, f16, bf16, f32, f64}}
      %x = arith.index_cast %i : index to i128
      attn.yield %s : f32
    }
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// -----

attn.kernel @attend_c9_f80(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>) -> (o: tensor<?x?x?x64xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    score(%s, i = %i, j = %j) {
      // expected-error@below {{[attend_c9] works on scalars here, not on 'f80'}}
      %x = arith.extf %s : f32 to f80
      attn.yield %s : f32
    }
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// -----

attn.kernel @attend_c9_results(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>, %n: i32) -> (o: tensor<?x?x?x64xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    score(%s, i = %i, j = %j) {
      // expected-error@below {{[attend_c9] ops here have one result; write it with several ops}}
      %x, %y = arith.mulsi_extended %n, %n : i32
      attn.yield %s : f32
    }
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// -----

attn.kernel @attend_c9_bits(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>) -> (o: tensor<?x?x?x64xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    score(%s, i = %i, j = %j) {
      // expected-error@below {{[attend_c9] the bits of a float depend on the accumulation type; compute with its value}}
      %x = arith.bitcast %s : f32 to i32
      attn.yield %s : f32
    }
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// -----

attn.kernel @attend_c9_where(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>) -> (o: tensor<?x?x?x64xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = where(i = %i) {
      // expected-error@below {{[attend_c9] is not allowed here; write it in arith, math, attn.load, attn.member and attn.random}}
      %x = "builtin.unrealized_conversion_cast"() : () -> i1
      attn.yield %x : i1
    }
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// -----

attn.kernel @attend_c9_set_in_where(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>) -> (o: tensor<?x?x?x64xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = where(i = %i) {
      // expected-error@below {{[attend_c9] is not allowed here}}
      %x = attn.set.full
      %p = arith.constant true
      attn.yield %p : i1
    }
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// -----

attn.normalizer @lacks_max {
  attn.pass ref = none phi(%s) {
    attn.yield %s : f32
  } sums(n = value)
  attn.finish(%n) {
    attn.yield %n : f32
  } outputs(o) empty(0.0)
}
attn.kernel @attend_c10_own(%q: tensor<?x64xf32>) -> (o: tensor<?x64xf32>, max: tensor<?xf32>) {
  // expected-error@below {{[attend_c10] @lacks_max has no output 'max'}}
  %o, %max = attn.attend dims(| i | j | c, e)
    q = %q[i, c] k = %q[j, c] v = %q[j, e]
    normalize = @lacks_max
    outputs o[i, e], max[i]
    : (tensor<?x64xf32>, tensor<?x64xf32>, tensor<?x64xf32>) -> (tensor<?x64xf32>, tensor<?xf32>)
  attn.return %o, %max : tensor<?x64xf32>, tensor<?xf32>
}

// -----

attn.normalizer @wide_lse {
  attn.pass ref = none phi(%s) {
    attn.yield %s : f32
  } sums(l = one, n = value)
  attn.finish(%l, %n) {
    %x = arith.addf %n, %l : f32
    attn.yield %n, %x : f32, f32
  } outputs(o, lse) empty(0.0, 0.0)
}
attn.kernel @attend_c5_wide(%q: tensor<?x64xf32>) -> (o: tensor<?x64xf32>, lse: tensor<?xf32>) {
  // expected-error@below {{[attend_c5] 'lse' of @wide_lse has one number for each value feature; name it otherwise}}
  %o, %lse = attn.attend dims(| i | j | c, e)
    q = %q[i, c] k = %q[j, c] v = %q[j, e]
    normalize = @wide_lse
    outputs o[i, e], lse[i]
    : (tensor<?x64xf32>, tensor<?x64xf32>, tensor<?x64xf32>) -> (tensor<?x64xf32>, tensor<?xf32>)
  attn.return %o, %lse : tensor<?x64xf32>, tensor<?xf32>
}
