// RUN: %attn-opt %s --split-input-file --verify-diagnostics

// Rules of shared_prefix.

attn.kernel @shared_prefix_c1_element(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>, %x: tensor<?xf32>) -> (o: tensor<?x?x?x64xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    // expected-error@below {{[shared_prefix_c1] segment ids are i32 or i64 over (token) or (first batch dimension, token), not 'tensor<?xf32>'}}
    set = shared_prefix<%x>
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// -----

attn.kernel @shared_prefix_c1_rank(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>, %x: tensor<?xi32>, %y: tensor<?x?x?xi32>) -> (o: tensor<?x?x?x64xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    // expected-error@below {{[shared_prefix_c1] segment ids are i32 or i64 over (token) or (first batch dimension, token), not 'tensor<?x?x?xi32>'}}
    set = shared_prefix<q = %x, k = %y>
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// -----

attn.kernel @shared_prefix_c2(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>, %x: tensor<?xi32>) -> (o: tensor<?x?x?x64xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set =
      // expected-error@below {{[shared_prefix_c2] give one tensor, or both q and k}}
      shared_prefix<q = %x, shared = 1>
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// -----

attn.kernel @shared_prefix_c3_shared(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>, %x: tensor<?xi32>, %f: f32) -> (o: tensor<?x?x?x64xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    // expected-error@below {{[shared_prefix_c3] `shared` and `all` are segment ids: an integer constant or an index, i64 or i32, not 'f32'}}
    set = shared_prefix<%x, shared = %f>
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// -----

attn.kernel @shared_prefix_c3_all(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>, %x: tensor<?xi32>) -> (o: tensor<?x?x?x64xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    // expected-error@below {{[shared_prefix_c3] `shared` and `all` are segment ids: an integer constant or an index, i64 or i32, not 'tensor<?xi32>'}}
    set = shared_prefix<%x, all = %x>
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// -----

attn.kernel @attend_c11(%q: tensor<?x64xf32>, %k: tensor<?x64xf32>, %v: tensor<?x64xf32>, %x: tensor<?x?xi32>) -> (o: tensor<?x64xf32>) {
  // expected-error@below {{[attend_c11] the query segments go by the first batch dimension}}
  %r0 = attn.attend dims(| i | j | c, e)
    q = %q[i, c] k = %k[j, c] v = %v[j, e]
    set = shared_prefix<%x>
    outputs o[i, e]
    : (tensor<?x64xf32>, tensor<?x64xf32>, tensor<?x64xf32>) -> (tensor<?x64xf32>)
  attn.return %r0 : tensor<?x64xf32>
}

// -----

attn.kernel @attend_c6(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x9x64xf32>, %v: tensor<?x?x?x64xf32>, %x: tensor<?xi32>, %y: tensor<7xi32>) -> (o: tensor<?x?x?x64xf32>) {
  // expected-error@below {{[attend_c6] dimension 'j' has extent 9 elsewhere and 7 in the key segments}}
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = shared_prefix<q = %x, k = %y>
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x9x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// -----

attn.kernel @set_parameter(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>, %x: tensor<?xi32>) -> (o: tensor<?x?x?x64xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    // expected-error@below {{[set_parameter] no parameter 'every' here; there are: shared, all}}
    set = shared_prefix<%x, every = 3>
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}
