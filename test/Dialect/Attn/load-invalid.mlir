// RUN: %attn-opt %s --split-input-file --verify-diagnostics

// Rules of attn.load.

attn.kernel @load_c1_rank(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>, %t: tensor<?x?xf32>) -> (o: tensor<?x?x?x64xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    score(%s, j = %j) {
      // expected-error@below {{[load_c1] 1 indices for a tensor of rank 2}}
      %x = attn.load %t[%j] : tensor<?x?xf32>
      attn.yield %x : f32
    }
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// -----

// The result's type and one type for all indices can only be wrong in the generic form.
attn.kernel @load_c1_result(%t: tensor<?xf32>, %n: index) -> () {
  // expected-error@below {{[load_c1] the result has the tensor's element type}}
  %x = "attn.load"(%t, %n) : (tensor<?xf32>, index) -> f64
  attn.return
}

// -----

attn.kernel @load_c1_indices(%t: tensor<?x?xf32>, %n: index, %m: i32) -> () {
  // expected-error@below {{[load_c1] indices are of one type}}
  %x = "attn.load"(%t, %n, %m) : (tensor<?x?xf32>, index, i32) -> f32
  attn.return
}
