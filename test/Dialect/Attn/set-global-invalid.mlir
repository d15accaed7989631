// RUN: %attn-opt %s --split-input-file --verify-diagnostics

// Rules of global.

attn.kernel @global_c1_float(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>, %x: f32) -> (o: tensor<?x?x?x64xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    // expected-error@below {{[global_c1] the count of global tokens is an integer constant, an index, i64 or i32, or a rank-1 tensor of i32 or i64 over the first batch dimension, not 'f32'}}
    set = global<%x>
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// -----

attn.kernel @global_c1_rank(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>, %x: tensor<?x?xi32>) -> (o: tensor<?x?x?x64xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    // expected-error@below {{[global_c1] the count of global tokens is an integer constant}}
    set = global<%x>
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// -----

attn.kernel @global_c1_element(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>, %x: tensor<?xi8>) -> (o: tensor<?x?x?x64xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    // expected-error@below {{[global_c1] the count of global tokens is an integer constant}}
    set = global<%x>
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// -----

attn.kernel @attend_c11(%q: tensor<?x64xf32>, %k: tensor<?x64xf32>, %v: tensor<?x64xf32>, %x: tensor<?xi32>) -> (o: tensor<?x64xf32>) {
  // expected-error@below {{[attend_c11] the count of global tokens go by the first batch dimension, and dims(..) has none; add one of extent 1}}
  %r0 = attn.attend dims(| i | j | c, e)
    q = %q[i, c] k = %k[j, c] v = %v[j, e]
    set = global<%x>
    outputs o[i, e]
    : (tensor<?x64xf32>, tensor<?x64xf32>, tensor<?x64xf32>) -> (tensor<?x64xf32>)
  attn.return %r0 : tensor<?x64xf32>
}

// -----

attn.kernel @attend_c6(%q: tensor<2x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>, %x: tensor<3xi32>) -> (o: tensor<2x?x?x64xf32>) {
  // expected-error@below {{[attend_c6] dimension 'b' has extent 2 elsewhere and 3 in the count of global tokens}}
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = global<%x>
    outputs o[b, h, i, e]
    : (tensor<2x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<2x?x?x64xf32>)
  attn.return %r0 : tensor<2x?x?x64xf32>
}
