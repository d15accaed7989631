// RUN: %attn-opt %s --split-input-file --verify-diagnostics

// Dimensions, maps, extents and element types: one case a label and way to break it. The labels are those of AttnOps.td.

attn.kernel @attend_c1_groups(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>) -> (o: tensor<?x?x?x64xf32>) {
  // expected-error@below {{[attend_c1] write dims(batch.. | query | key | dot feature, value feature), e.g. dims(b, h | i | j | c, e)}}
  %r0 = attn.attend dims(b, h | i | j)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// -----

attn.kernel @attend_c1_two_queries(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>) -> (o: tensor<?x?x?x64xf32>) {
  // expected-error@below {{[attend_c1] write dims(batch.. | query | key}}
  %r0 = attn.attend dims(b | h, i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// -----

attn.kernel @attend_c1_three_features(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>) -> (o: tensor<?x?x?x64xf32>) {
  // expected-error@below {{[attend_c1] write dims(batch.. | query | key}}
  %r0 = attn.attend dims(b, h | i | j | c, d, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// -----

attn.kernel @attend_c1_batch(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>) -> (o: tensor<?x?x?x64xf32>) {
  // expected-error@below {{[attend_c1] at most 4 batch dimensions}}
  %r0 = attn.attend dims(a, b, f, g, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// -----

attn.kernel @attend_c1_twice(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x64xf32>, %v: tensor<?x?x64xf32>) -> (o: tensor<?x?x?x64xf32>) {
  // expected-error@below {{[attend_c1] the dimension name 'b' is used twice}}
  %r0 = attn.attend dims(b, b | i | j | c, e)
    q = %q[b, b, i, c] k = %k[b, j, c] v = %v[b, j, e]
    outputs o[b, b, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x64xf32>, tensor<?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// -----

attn.kernel @attend_c1_identifier(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>) -> (o: tensor<?x?x?x64xf32>) {
  // expected-error@below {{[attend_c1] 'b.x' is no identifier; name dimensions with letters, digits and _}}
  %r0 = attn.attend dims(b.x, h | i | j | c, e)
    q = %q[b.x, h, i, c] k = %k[b.x, h, j, c] v = %v[b.x, h, j, e]
    outputs o[b.x, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// -----

attn.kernel @attend_c2_rank(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>) -> (o: tensor<?x?x?x64xf32>) {
  // expected-error@below {{[attend_c2] k has rank 4 and 3 indices}}
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, j, c] v = %v[b, h, j, e]
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// -----

attn.kernel @attend_c2_output_rank(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>) -> (o: tensor<?x?x?x64xf32>) {
  // expected-error@below {{[attend_c2] o has rank 4 and 3 indices}}
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    outputs o[b, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// -----

attn.kernel @attend_c2_floordiv(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>) -> (o: tensor<?x?x?x64xf32>) {
  // expected-error@below {{[attend_c2] index 2 of k must be a dimension, a constant, or a batch dimension floordiv a constant}}
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j floordiv 2, c] v = %v[b, h, j, e]
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// -----

attn.kernel @attend_c2_negative(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>) -> (o: tensor<?x?x?x64xf32>) {
  // expected-error@below {{[attend_c2] index 1 of v must be a dimension, a constant, or a batch dimension floordiv a constant}}
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, -1, j, e]
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// -----

attn.kernel @attend_c3_dynamic(%q: tensor<?x?x?x?xf32>, %k: tensor<?x?x?x?xf32>, %v: tensor<?x?x?x?xf32>) -> (o: tensor<?x?x?x?xf32>) {
  // expected-error@below {{[attend_c3] feature 'c' of q has a dynamic extent; write it in the type, e.g. tensor<?x?x64xf32>}}
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    outputs o[b, h, i, e]
    : (tensor<?x?x?x?xf32>, tensor<?x?x?x?xf32>, tensor<?x?x?x?xf32>) -> (tensor<?x?x?x?xf32>)
  attn.return %r0 : tensor<?x?x?x?xf32>
}

// -----

attn.kernel @attend_c3_zero(%q: tensor<?x?x?x0xf32>, %k: tensor<?x?x?x0xf32>, %v: tensor<?x?x?x8xf32>) -> (o: tensor<?x?x?x8xf32>) {
  // expected-error@below {{[attend_c3] feature 'c' must have a static extent of at least 1}}
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    outputs o[b, h, i, e]
    : (tensor<?x?x?x0xf32>, tensor<?x?x?x0xf32>, tensor<?x?x?x8xf32>) -> (tensor<?x?x?x8xf32>)
  attn.return %r0 : tensor<?x?x?x8xf32>
}

// -----

attn.kernel @attend_c4_twice(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>) -> (o: tensor<?x?x?x64xf32>) {
  // expected-error@below {{[attend_c4] k is indexed twice by 'b'}}
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, b, j, c] v = %v[b, h, j, e]
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// -----

attn.kernel @attend_c4_batch(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>) -> (o: tensor<?x?x?x64xf32>) {
  // expected-error@below {{[attend_c4] no input says how many indices 'h' has: index an axis of an operand or of a captured tensor by 'h' alone}}
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, 0, i, c] k = %k[b, 0, j, c] v = %v[b, 1, j, e]
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// -----

attn.kernel @attend_c4_floordiv(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>) -> (o: tensor<?x?x?x64xf32>) {
  // expected-error@below {{[attend_c4] no input says how many indices 'h' has}}
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h floordiv 2, i, c] k = %k[b, h floordiv 2, j, c] v = %v[b, 0, j, e]
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// -----

attn.kernel @attend_c4_query(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>) -> (o: tensor<?x?x?x64xf32>) {
  // expected-error@below {{[attend_c4] k may not be indexed by 'i'}}
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, i, j, c] v = %v[b, h, j, e]
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// -----

attn.kernel @attend_c4_key(%q: tensor<?x?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>) -> (o: tensor<?x?x?x64xf32>) {
  // expected-error@below {{[attend_c4] q may not be indexed by 'j'}}
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, j, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    outputs o[b, h, i, e]
    : (tensor<?x?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// -----

attn.kernel @attend_c4_dot(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>) -> (o: tensor<?x?x?x64xf32>) {
  // expected-error@below {{[attend_c4] k must be indexed by 'c'}}
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, e] v = %v[b, h, j, e]
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// -----

attn.kernel @attend_c4_value(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>) -> (o: tensor<?x?x?x64xf32>) {
  // expected-error@below {{[attend_c4] v must be indexed by 'e'}}
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, c]
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// -----

attn.kernel @attend_c4_foreign_feature(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x64x?x64xf32>) -> (o: tensor<?x?x?x64xf32>) {
  // expected-error@below {{[attend_c4] v may not be indexed by 'c'}}
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, c, j, e]
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x64x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// -----

attn.kernel @attend_c5_missing(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>) -> (o: tensor<?x?x64xf32>) {
  // expected-error@below {{[attend_c5] output 'o' must be indexed by 'h'}}
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    outputs o[b, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x64xf32>)
  attn.return %r0 : tensor<?x?x64xf32>
}

// -----

attn.kernel @attend_c5_feature(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>) -> (lse: tensor<?x?x?x64xf32>) {
  // expected-error@below {{[attend_c5] output 'lse' may not be indexed by 'e'}}
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    outputs lse[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// -----

attn.kernel @attend_c5_key(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>) -> (o: tensor<?x?x?x?x64xf32>) {
  // expected-error@below {{[attend_c5] output 'o' may not be indexed by 'j'}}
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    outputs o[b, h, i, j, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x?x64xf32>
}

// -----

attn.kernel @attend_c5_floordiv(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>) -> (o: tensor<?x?x?x64xf32>) {
  // expected-error@below {{[attend_c5] output 'o' is indexed by plain dimensions}}
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    outputs o[b, h floordiv 2, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// -----

attn.kernel @attend_c5_twice(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>) -> (o: tensor<?x?x?x64xf32>, p: tensor<?x?x?x64xf32>) {
  // expected-error@below {{[attend_c5] output 'o' is listed twice}}
  %r0, %r1 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    outputs o[b, h, i, e], o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>)
  attn.return %r0, %r1 : tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>
}

// -----

attn.kernel @attend_c6_extents(%q: tensor<2x3x4x8xf32>, %k: tensor<2x3x5x8xf32>, %v: tensor<2x3x6x8xf32>) -> (o: tensor<2x3x4x8xf32>) {
  // expected-error@below {{[attend_c6] dimension 'j' has extent 5 elsewhere and 6 in v}}
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    outputs o[b, h, i, e]
    : (tensor<2x3x4x8xf32>, tensor<2x3x5x8xf32>, tensor<2x3x6x8xf32>) -> (tensor<2x3x4x8xf32>)
  attn.return %r0 : tensor<2x3x4x8xf32>
}

// -----

attn.kernel @attend_c6_feature(%q: tensor<2x3x4x8xf32>, %k: tensor<2x3x5x16xf32>, %v: tensor<2x3x4x8xf32>) -> (o: tensor<2x3x4x8xf32>) {
  // expected-error@below {{[attend_c6] dimension 'c' has extent 8 elsewhere and 16 in k}}
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    outputs o[b, h, i, e]
    : (tensor<2x3x4x8xf32>, tensor<2x3x5x16xf32>, tensor<2x3x4x8xf32>) -> (tensor<2x3x4x8xf32>)
  attn.return %r0 : tensor<2x3x4x8xf32>
}

// -----

attn.kernel @attend_c6_output(%q: tensor<2x3x4x8xf32>, %k: tensor<2x3x4x8xf32>, %v: tensor<2x3x4x8xf32>) -> (o: tensor<2x3x7x8xf32>) {
  // expected-error@below {{[attend_c6] dimension 'i' has extent 4 elsewhere and 7 in o}}
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    outputs o[b, h, i, e]
    : (tensor<2x3x4x8xf32>, tensor<2x3x4x8xf32>, tensor<2x3x4x8xf32>) -> (tensor<2x3x7x8xf32>)
  attn.return %r0 : tensor<2x3x7x8xf32>
}

// -----

attn.kernel @attend_c6_constant(%q: tensor<?x?x3x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>) -> (o: tensor<?x?x?x64xf32>) {
  // expected-error@below {{[attend_c6] constant index 3 of q is outside extent 3}}
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, i, 3, h, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    outputs o[b, h, i, e]
    : (tensor<?x?x3x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// -----

attn.kernel @attend_c8_mixed(%q: tensor<?x?x?x64xf64>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>) -> (o: tensor<?x?x?x64xf32>) {
  // expected-error@below {{[attend_c8] output 'o' has element type 'f32'; expected f64}}
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf64>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// -----

attn.kernel @attend_c8_integers(%q: tensor<?x?x?x64xi32>, %k: tensor<?x?x?x64xi32>, %v: tensor<?x?x?x64xi32>) -> (o: tensor<?x?x?x64xi32>) {
  // expected-error@below {{[attend_c8] q has element type 'i32'; a region makes numbers of integers: `q = %x[..] as (%n : 'i32') { .. attn.yield %y : f32 }`}}
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xi32>, tensor<?x?x?x64xi32>, tensor<?x?x?x64xi32>) -> (tensor<?x?x?x64xi32>)
  attn.return %r0 : tensor<?x?x?x64xi32>
}

// -----

attn.kernel @attend_c8_output(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>) -> (o: tensor<?x?x?x64xf64>) {
  // expected-error@below {{[attend_c8] output 'o' has element type 'f64'; expected f32, bf16 or f16}}
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf64>)
  attn.return %r0 : tensor<?x?x?x64xf64>
}

// -----

attn.kernel @attend_c8_lse(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>) -> (lse: tensor<?x?x?xbf16>) {
  // expected-error@below {{[attend_c8] output 'lse' has element type 'bf16'; expected f32}}
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    outputs lse[b, h, i]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?xbf16>)
  attn.return %r0 : tensor<?x?x?xbf16>
}

// -----

attn.kernel @attend_c8_f64(%q: tensor<?x?x?x64xf64>, %k: tensor<?x?x?x64xf64>, %v: tensor<?x?x?x64xf64>) -> (lse: tensor<?x?x?xf32>) {
  // expected-error@below {{[attend_c8] output 'lse' has element type 'f32'; expected f64}}
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    outputs lse[b, h, i]
    : (tensor<?x?x?x64xf64>, tensor<?x?x?x64xf64>, tensor<?x?x?x64xf64>) -> (tensor<?x?x?xf32>)
  attn.return %r0 : tensor<?x?x?xf32>
}

// -----

attn.kernel @index_name(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>) -> (o: tensor<?x?x?x64xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    // expected-error@below {{[index_name] 'x' is not in dims(b, h, i, j, c, e)}}
    q = %q[b, x, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// -----

attn.kernel @index_name_score(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>) -> (o: tensor<?x?x?x64xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    // expected-error@below {{[index_name] 'e' is no batch, query or key dimension; there are b, h, i, j}}
    score(%s, e = %e) {
    }
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// -----

attn.kernel @index_divisor(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>) -> (o: tensor<?x?x?x64xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    // expected-error@below {{[index_divisor] a divisor is at least 1}}
    q = %q[b, h, i, c] k = %k[b, h floordiv -4, j, c] v = %v[b, h, j, e]
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// -----

// attend_types
attn.kernel @attend_types_count(%q: tensor<?x64xf32>) -> (o: tensor<?x64xf32>) {
  %o = attn.attend dims(| i | j | c, e)
    q = %q[i, c] k = %q[j, c] v = %q[j, e]
    outputs o[i, e]
    // expected-error@below {{[attend_types] write the types of q, k and v: `: (Q, K, V) -> (outputs)`}}
    : (tensor<?x64xf32>, tensor<?x64xf32>) -> tensor<?x64xf32>
  attn.return %o : tensor<?x64xf32>
}

// -----

attn.kernel @attend_types_scalar(%q: tensor<?x64xf32>, %n: f32) -> (o: tensor<?x64xf32>) {
  %o = attn.attend dims(| i | j | c, e)
    q = %q[i, c] k = %q[j, c] v = %n[j, e]
    outputs o[i, e]
    // expected-error@below {{[attend_types] operands and outputs of an attend are ranked tensors, not 'f32'}}
    : (tensor<?x64xf32>, tensor<?x64xf32>, f32) -> tensor<?x64xf32>
  attn.return %o : tensor<?x64xf32>
}
