// RUN: %attn-opt %s --split-input-file --verify-diagnostics

// Rules of dropout.

attn.kernel @attend_c14_seed(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>, %s: f32) -> (o: tensor<?x?x?x64xf32>) {
  // expected-error@below {{[attend_c14] the seed of dropout is an integer constant or an index, i64 or i32, not 'f32'}}
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    dropout(seed = %s, probability = 0.5)
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// -----

attn.kernel @attend_c14_probability(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>, %p: f64) -> (o: tensor<?x?x?x64xf32>) {
  // expected-error@below {{[attend_c14] the probability of dropout is a constant or an f32, not 'f64'}}
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    dropout(seed = 1, probability = %p)
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// -----

attn.kernel @attend_c14_tensor(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>, %p: tensor<?xf32>) -> (o: tensor<?x?x?x64xf32>) {
  // expected-error@below {{[attend_c14] the probability of dropout is a constant or an f32, not 'tensor<?xf32>'}}
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    dropout(seed = 1, probability = %p)
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// -----

attn.kernel @attend_c14_one(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>) -> (o: tensor<?x?x?x64xf32>) {
  // expected-error@below {{[attend_c14] the probability of dropout is in [0, 1); with 1 nothing would be left}}
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    dropout(seed = 1, probability = 1.0)
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// -----

attn.kernel @attend_c14_negative(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>) -> (o: tensor<?x?x?x64xf32>) {
  // expected-error@below {{[attend_c14] the probability of dropout is in [0, 1)}}
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    dropout(seed = 1, probability = -0.1)
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// -----

attn.kernel @attend_c14_nan(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>) -> (o: tensor<?x?x?x64xf32>) {
  // expected-error@below {{[attend_c14] the probability of dropout is in [0, 1)}}
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    dropout(seed = 1, probability = 0x7FF8000000000000)
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// -----

attn.kernel @attend_c14_batch(%q: tensor<?x?x?x?x64xf32>, %k: tensor<?x?x?x?x64xf32>, %v: tensor<?x?x?x?x64xf32>) -> (o: tensor<?x?x?x?x64xf32>) {
  // expected-error@below {{[attend_c14] dropout draws by at most two batch dimensions, the query and the key; dims(..) has 3 batch dimensions: fold some into one}}
  %r0 = attn.attend dims(b, h, g | i | j | c, e)
    q = %q[b, h, g, i, c] k = %k[b, h, g, j, c] v = %v[b, h, g, j, e]
    dropout(seed = 1, probability = 0.1)
    outputs o[b, h, g, i, e]
    : (tensor<?x?x?x?x64xf32>, tensor<?x?x?x?x64xf32>, tensor<?x?x?x?x64xf32>) -> (tensor<?x?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x?x64xf32>
}
