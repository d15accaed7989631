// RUN: %attn-opt %s --split-input-file --verify-diagnostics

// What comes out of an attend: arguments of the normalizer, element types, what has a feature, no values.

!t = tensor<?x?x64xf32>
!r = tensor<?x?xf32>
attn.normalizer @plain {
  attn.pass ref = none phi(%s) {
    attn.yield %s : f32
  } sums(n = value)
  attn.finish(%n) {
    attn.yield %n : f32
  } outputs(o) empty(0.0)
}
attn.kernel @attend_c5_reduction_feature(%q: !t, %k: !t, %v: !t) -> (x0: !t) {
  // expected-error@below {{[attend_c5] output 'm' has one number for each row, not for each 'e'}}
  %r0 = attn.attend dims(b | i | j | c, e)
    q = %q[b, i, c] k = %k[b, j, c] v = %v[b, j, e]
    normalize = @plain
    reduce m = max
    outputs m[b, i, e]
    : (!t, !t, !t) -> (!t)
  attn.return %r0 : !t
}

// -----

!t = tensor<?x?x64xf32>
!r = tensor<?x?xf32>
attn.kernel @attend_c5_weights_query(%q: !t, %k: !t, %v: !t) -> (x0: !r) {
  // expected-error@below {{[attend_c5] output 'p' must be indexed by 'j'}}
  %r0 = attn.attend dims(b | i | j | c, e)
    q = %q[b, i, c] k = %k[b, j, c] v = %v[b, j, e]
    outputs p[b, i]
    : (!t, !t, !t) -> (!r)
  attn.return %r0 : !r
}

// -----

!t = tensor<?x?x64xf32>
!r = tensor<?x?xf32>
attn.kernel @attend_c5_column_query(%q: !t, %k: !t, %v: !t) -> (x0: !r) {
  // expected-error@below {{[attend_c5] output 'm' may not be indexed by 'i'}}
  %r0 = attn.attend dims(b | i | j | c, e)
    q = %q[b, i, c] k = %k[b, j, c] v = %v[b, j, e]
    columns m = sum(%w, %s) {
      attn.yield %w : f32
    }
    outputs m[b, i]
    : (!t, !t, !t) -> (!r)
  attn.return %r0 : !r
}

// -----

!t = tensor<?x?x64xf32>
!r = tensor<?x?xf32>
attn.kernel @attend_c5_column_key(%q: !t, %k: !t, %v: !t) -> (x0: tensor<?xf32>) {
  // expected-error@below {{[attend_c5] output 'm' must be indexed by 'j'}}
  %r0 = attn.attend dims(b | i | j | c, e)
    q = %q[b, i, c] k = %k[b, j, c] v = %v[b, j, e]
    columns m = sum(%w, %s) {
      attn.yield %w : f32
    }
    outputs m[b]
    : (!t, !t, !t) -> (tensor<?xf32>)
  attn.return %r0 : tensor<?xf32>
}

// -----

!t = tensor<?x?x64xf32>
!r = tensor<?x?xf32>
attn.kernel @attend_c5_lse(%q: !t, %k: !t, %v: !t) -> (x0: !t) {
  // expected-error@below {{[attend_c5] output 'lse' may not be indexed by 'e'}}
  %r0 = attn.attend dims(b | i | j | c, e)
    q = %q[b, i, c] k = %k[b, j, c] v = %v[b, j, e]
    outputs lse[b, i, e]
    : (!t, !t, !t) -> (!t)
  attn.return %r0 : !t
}

// -----

!t = tensor<?x?x64xf32>
!r = tensor<?x?xf32>
attn.kernel @attend_c8_key(%q: !t, %k: !t, %v: !t) -> (x0: !r) {
  // expected-error@below {{[attend_c8] output 'id' has element type 'f32'; expected i32 or i64}}
  %r0 = attn.attend dims(b | i | j | c, e)
    q = %q[b, i, c] k = %k[b, j, c] v = %v[b, j, e]
    reduce id = argmax
    outputs id[b, i]
    : (!t, !t, !t) -> (!r)
  attn.return %r0 : !r
}

// -----

!t = tensor<?x?x64xf32>
!r = tensor<?x?xf32>
attn.kernel @attend_c8_row(%q: !t, %k: !t, %v: !t) -> (x0: tensor<?x?xbf16>) {
  // expected-error@below {{[attend_c8] output 'm' has element type 'bf16'; expected f32}}
  %r0 = attn.attend dims(b | i | j | c, e)
    q = %q[b, i, c] k = %k[b, j, c] v = %v[b, j, e]
    reduce m = max
    outputs m[b, i]
    : (!t, !t, !t) -> (tensor<?x?xbf16>)
  attn.return %r0 : tensor<?x?xbf16>
}

// -----

!t = tensor<?x?x64xf32>
!r = tensor<?x?xf32>
attn.kernel @attend_c8_weights(%q: !t, %k: !t, %v: !t) -> (x0: tensor<?x?x?xf64>) {
  // expected-error@below {{[attend_c8] output 'p' has element type 'f64'; expected f32, bf16 or f16}}
  %r0 = attn.attend dims(b | i | j | c, e)
    q = %q[b, i, c] k = %k[b, j, c] v = %v[b, j, e]
    outputs p[b, i, j]
    : (!t, !t, !t) -> (tensor<?x?x?xf64>)
  attn.return %r0 : tensor<?x?x?xf64>
}

// -----

!t = tensor<?x?x64xf64>
!r = tensor<?x?xf64>
attn.kernel @attend_c8_double(%q: !t, %k: !t, %v: !t) -> (x0: tensor<?x?xf32>) {
  // expected-error@below {{[attend_c8] output 'm' has element type 'f32'; expected f64}}
  %r0 = attn.attend dims(b | i | j | c, e)
    q = %q[b, i, c] k = %k[b, j, c] v = %v[b, j, e]
    reduce m = max
    outputs m[b, i]
    : (!t, !t, !t) -> (tensor<?x?xf32>)
  attn.return %r0 : tensor<?x?xf32>
}

// -----

!t = tensor<?x?x64xf32>
!r = tensor<?x?xf32>
attn.kernel @attend_c10_name(%q: !t, %k: !t, %v: !t) -> (x0: !t) {
  // expected-error@below {{[attend_c10] there is no normalizer @sofmax in the module or the library, which has softmax, softmax_sink, softmax1, sigmoid, relu_n, relu2_n, relu2_sum, identity, identity_n, softpick, clipped, entmax15, sparsemax, top_p, argmax}}
  %r0 = attn.attend dims(b | i | j | c, e)
    q = %q[b, i, c] k = %k[b, j, c] v = %v[b, j, e]
    normalize = @sofmax
    outputs o[b, i, e]
    : (!t, !t, !t) -> (!t)
  attn.return %r0 : !t
}

// -----

!t = tensor<?x?x64xf32>
!r = tensor<?x?xf32>
attn.kernel @attend_c10_name_is_head(%q: !t, %k: !t, %v: !t) -> (x0: !t) {
  // expected-error@below {{[attend_c10] there is no normalizer @soft in the module}}
  %r0 = attn.attend dims(b | i | j | c, e)
    q = %q[b, i, c] k = %k[b, j, c] v = %v[b, j, e]
    normalize = @soft
    outputs o[b, i, e]
    : (!t, !t, !t) -> (!t)
  attn.return %r0 : !t
}

// -----

!t = tensor<?x?x64xf32>
!r = tensor<?x?xf32>
attn.normalizer @weightless {
  attn.pass ref = none phi(%s) {
    attn.yield %s : f32
  } sums(l = one)
  attn.finish(%l) {
    attn.yield %l : f32
  } outputs(l) empty(0.0)
}
attn.kernel @attend_c10_output(%q: !t, %k: !t, %v: !t) -> (x0: !t) {
  // expected-error@below {{[attend_c10] @weightless has no output 'o'; there are l, reductions, columns and what the epilogue yields}}
  %r0 = attn.attend dims(b | i | j | c, e)
    q = %q[b, i, c] k = %k[b, j, c] v = %v[b, j, e]
    normalize = @weightless
    outputs o[b, i, e]
    : (!t, !t, !t) -> (!t)
  attn.return %r0 : !t
}

// -----

!t = tensor<?x?x64xf32>
!r = tensor<?x?xf32>
attn.normalizer @weightless {
  attn.pass ref = none phi(%s) {
    attn.yield %s : f32
  } sums(l = one)
  attn.finish(%l) {
    attn.yield %l : f32
  } outputs(l) empty(0.0)
}
attn.kernel @attend_c10_weights(%q: !t, %k: !t, %v: !t) -> (x0: tensor<?x?x?xf32>) {
  // expected-error@below {{[attend_c10] @weightless has no output 'p'}}
  %r0 = attn.attend dims(b | i | j | c, e)
    q = %q[b, i, c] k = %k[b, j, c] v = %v[b, j, e]
    normalize = @weightless
    outputs p[b, i, j]
    : (!t, !t, !t) -> (tensor<?x?x?xf32>)
  attn.return %r0 : tensor<?x?x?xf32>
}

// -----

!t = tensor<?x?x64xf32>
!r = tensor<?x?xf32>
attn.normalizer @with_b(%b) {
  attn.pass ref = none phi(%s) {
    attn.yield %b : f32
  } sums(n = value)
  attn.finish(%n) {
    attn.yield %n : f32
  } outputs(o) empty(0.0)
}
attn.kernel @attend_c15_few(%q: !t, %k: !t, %v: !t) -> (x0: !t) {
  // expected-error@below {{[attend_c15] @with_b has 1 parameters, and gets 0 arguments}}
  %r0 = attn.attend dims(b | i | j | c, e)
    q = %q[b, i, c] k = %k[b, j, c] v = %v[b, j, e]
    normalize = @with_b
    outputs o[b, i, e]
    : (!t, !t, !t) -> (!t)
  attn.return %r0 : !t
}

// -----

!t = tensor<?x?x64xf32>
!r = tensor<?x?xf32>
attn.normalizer @with_b(%b) {
  attn.pass ref = none phi(%s) {
    attn.yield %b : f32
  } sums(n = value)
  attn.finish(%n) {
    attn.yield %n : f32
  } outputs(o) empty(0.0)
}
attn.kernel @attend_c15_many(%q: !t, %k: !t, %v: !t) -> (x0: !t) {
  // expected-error@below {{[attend_c15] @with_b has 1 parameters, and gets 2 arguments}}
  %r0 = attn.attend dims(b | i | j | c, e)
    q = %q[b, i, c] k = %k[b, j, c] v = %v[b, j, e]
    normalize = @with_b(1.0, 2.0)
    outputs o[b, i, e]
    : (!t, !t, !t) -> (!t)
  attn.return %r0 : !t
}

// -----

!t = tensor<?x?x64xf32>
!r = tensor<?x?xf32>
attn.kernel @attend_c15_integer(%q: !t, %k: !t, %v: !t, %n: index) -> (x0: !t) {
  // expected-error@below {{[attend_c15] argument 0 of @sigmoid is a constant, a scalar 'f32' or a tensor of floats, not 'index'}}
  %r0 = attn.attend dims(b | i | j | c, e)
    q = %q[b, i, c] k = %k[b, j, c] v = %v[b, j, e]
    normalize = @sigmoid(%n)
    outputs o[b, i, e]
    : (!t, !t, !t) -> (!t)
  attn.return %r0 : !t
}

// -----

!t = tensor<?x?x64xf32>
!r = tensor<?x?xf32>
attn.kernel @attend_c15_double(%q: !t, %k: !t, %v: !t, %n: f64) -> (x0: !t) {
  // expected-error@below {{[attend_c15] argument 0 of @sigmoid is a constant, a scalar 'f32' or a tensor of floats, not 'f64'}}
  %r0 = attn.attend dims(b | i | j | c, e)
    q = %q[b, i, c] k = %k[b, j, c] v = %v[b, j, e]
    normalize = @sigmoid(%n)
    outputs o[b, i, e]
    : (!t, !t, !t) -> (!t)
  attn.return %r0 : !t
}

// -----

!t = tensor<?x?x64xf64>
!r = tensor<?x?xf64>
attn.kernel @attend_c15_single(%q: !t, %k: !t, %v: !t, %n: f32) -> (x0: !t) {
  // expected-error@below {{[attend_c15] argument 0 of @sigmoid is a constant, a scalar 'f64' or a tensor of floats, not 'f32'}}
  %r0 = attn.attend dims(b | i | j | c, e)
    q = %q[b, i, c] k = %k[b, j, c] v = %v[b, j, e]
    normalize = @sigmoid(%n)
    outputs o[b, i, e]
    : (!t, !t, !t) -> (!t)
  attn.return %r0 : !t
}

// -----

!t = tensor<?x?x64xf32>
!r = tensor<?x?xf32>
attn.kernel @attend_c15_scalar_index(%q: !t, %k: !t, %v: !t, %n: f32) -> (x0: !t) {
  // expected-error@below {{[attend_c15] argument 0 of @sigmoid is a constant, a scalar 'f32' or a tensor of floats, not 'f32' with indices}}
  %r0 = attn.attend dims(b | i | j | c, e)
    q = %q[b, i, c] k = %k[b, j, c] v = %v[b, j, e]
    normalize = @sigmoid(%n[b])
    outputs o[b, i, e]
    : (!t, !t, !t) -> (!t)
  attn.return %r0 : !t
}

// -----

!t = tensor<?x?x64xf32>
!r = tensor<?x?xf32>
attn.kernel @attend_c15_rank(%q: !t, %k: !t, %v: !t, %n: !r) -> (x0: !t) {
  // expected-error@below {{[attend_c15] argument 1 of @clipped is a tensor of floats with one index for each axis; 'tensor<?x?xf32>' has 1 indices}}
  %r0 = attn.attend dims(b | i | j | c, e)
    q = %q[b, i, c] k = %k[b, j, c] v = %v[b, j, e]
    normalize = @clipped(1.0, %n[b])
    outputs o[b, i, e]
    : (!t, !t, !t) -> (!t)
  attn.return %r0 : !t
}

// -----

!t = tensor<?x?x64xf32>
!r = tensor<?x?xf32>
attn.kernel @attend_c15_ints(%q: !t, %k: !t, %v: !t, %n: tensor<?xi32>) -> (x0: !t) {
  // expected-error@below {{[attend_c15] argument 0 of @sigmoid is a tensor of floats with one index for each axis}}
  %r0 = attn.attend dims(b | i | j | c, e)
    q = %q[b, i, c] k = %k[b, j, c] v = %v[b, j, e]
    normalize = @sigmoid(%n[b])
    outputs o[b, i, e]
    : (!t, !t, !t) -> (!t)
  attn.return %r0 : !t
}

// -----

!t = tensor<?x?x64xf32>
!r = tensor<?x?xf32>
attn.kernel @attend_c15_key(%q: !t, %k: !t, %v: !t, %n: tensor<?xf32>) -> (x0: !t) {
  // expected-error@below {{[attend_c15] argument 0 of @sigmoid has one number for each row: index it by batch dimensions, constants and 'i'}}
  %r0 = attn.attend dims(b | i | j | c, e)
    q = %q[b, i, c] k = %k[b, j, c] v = %v[b, j, e]
    normalize = @sigmoid(%n[j])
    outputs o[b, i, e]
    : (!t, !t, !t) -> (!t)
  attn.return %r0 : !t
}

// -----

!t = tensor<?x?x64xf32>
!r = tensor<?x?xf32>
attn.kernel @attend_c15_block(%q: !t, %k: !t, %v: !t, %n: tensor<?xf32>) -> (x0: !t) {
  // expected-error@below {{[attend_c15] argument 0 of @sigmoid has one number for each row}}
  %r0 = attn.attend dims(b | i | j | c, e)
    q = %q[b, i, c] k = %k[b, j, c] v = %v[b, j, e]
    normalize = @sigmoid(%n[i floordiv 2])
    outputs o[b, i, e]
    : (!t, !t, !t) -> (!t)
  attn.return %r0 : !t
}

// -----

!t = tensor<?x?x64xf32>
!r = tensor<?x?xf32>
attn.kernel @attend_c15_nan(%q: !t, %k: !t, %v: !t) -> (x0: !t) {
  // expected-error@below {{[attend_c15] argument 0 of @sigmoid is NaN}}
  %r0 = attn.attend dims(b | i | j | c, e)
    q = %q[b, i, c] k = %k[b, j, c] v = %v[b, j, e]
    normalize = @sigmoid(0x7FF8000000000000)
    outputs o[b, i, e]
    : (!t, !t, !t) -> (!t)
  attn.return %r0 : !t
}

// -----

!t = tensor<?x?x64xf32>
!r = tensor<?x?xf32>
attn.kernel @attend_c6_argument(%q: !t, %k: !t, %v: !t, %n: tensor<4xf32>) -> (x0: !t) {
  // expected-error@below {{[attend_c6]}}
  %r0 = attn.attend dims(b | i | j | c, e)
    q = %q[b, i, c] k = %k[b, j, c] v = %v[b, j, e]
    normalize = @sigmoid(%n[4])
    outputs o[b, i, e]
    : (!t, !t, !t) -> (!t)
  attn.return %r0 : !t
}

// -----

!t = tensor<?x?x64xf32>
!r = tensor<?x?xf32>
attn.normalizer @with_b(%b) {
  attn.pass ref = none phi(%s) {
    attn.yield %b : f32
  } sums(n = value)
  attn.finish(%n) {
    attn.yield %n : f32
  } outputs(o) empty(0.0)
}
attn.kernel @attend_c20_output(%q: !t, %k: !t, %v: !t) -> (x0: !t) {
  // expected-error@below {{[attend_c20] output 'o' depends on values, and there is no v; write `v = %v[..]`}}
  %r0 = attn.attend dims(b | i | j | c)
    q = %q[b, i, c] k = %k[b, j, c]
    normalize = @with_b(1.0)
    outputs o[b, i, c]
    : (!t, !t) -> (!t)
  attn.return %r0 : !t
}

// -----

!t = tensor<?x?x64xf32>
!r = tensor<?x?xf32>
attn.kernel @attend_c20_features(%q: !t, %k: !t, %v: !t) -> (x0: !r) {
  // expected-error@below {{[attend_c20] without v there is one feature: dims(b | i | j | c)}}
  %r0 = attn.attend dims(b | i | j | c, e)
    q = %q[b, i, c] k = %k[b, j, c]
    outputs lse[b, i]
    : (!t, !t) -> (!r)
  attn.return %r0 : !r
}

// -----

!t = tensor<?x?x64xf32>
!r = tensor<?x?xf32>
attn.kernel @attend_types_valueless(%q: !t, %k: !t, %v: !t) -> (x0: !r) {
  %r0 = attn.attend dims(b | i | j | c)
    q = %q[b, i, c] k = %k[b, j, c]
    outputs lse[b, i]
    // expected-error@below {{[attend_types] write the types of q and k: `: (Q, K) -> (outputs)`}}
    : (!t, !t, !t) -> (!r)
  attn.return %r0 : !r
}

// -----

// A seed of other weights than e^(s - r) is no score of which an lse could be.
attn.normalizer @squares(%b) {
  attn.pass ref = max
    gauge(%r0, %r1) { %d = arith.subf %r0, %r1 : f32 %two = arith.constant 2.0 : f32 %t = arith.mulf %d, %two : f32 %g = math.exp %t : f32 attn.yield %g : f32 }
    phi(%s, %r) { %d = arith.subf %s, %r : f32 %two = arith.constant 2.0 : f32 %t = arith.mulf %d, %two : f32 %p = math.exp %t : f32 attn.yield %p : f32 }
    seed { %one = arith.constant 1.0 : f32 %zero = arith.constant 0.0 : f32 attn.yield %b, %one, %zero : f32, f32, f32 }
    sums(l = one, n = value)
  attn.finish(%r, %l, %n) { %o = arith.divf %n, %l : f32 attn.yield %o : f32 } outputs(o) empty(0.0)
}
!t = tensor<?x?x64xf32>
attn.kernel @attend_c10_lse_of_a_seed(%q: !t, %k: !t, %v: !t) -> (o: !t, lse: tensor<?x?xf32>) {
  // expected-error@below {{[attend_c10] @squares has no output lse, and its seed is no score}}
  %o, %lse = attn.attend dims(b | i | j | c, e)
    q = %q[b, i, c] k = %k[b, j, c] v = %v[b, j, e]
    normalize = @squares(0.5)
    outputs o[b, i, e], lse[b, i] : (!t, !t, !t) -> (!t, tensor<?x?xf32>)
  attn.return %o, %lse : !t, tensor<?x?xf32>
}
