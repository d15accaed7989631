// RUN: %attn-opt %s --split-input-file --verify-diagnostics --attn-pipeline-vector

// Uses of ops that this backend does not lower.

attn.kernel @member(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>, %x: tensor<?x?xi32>) -> (o: tensor<?x?x?x64xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = where(i = %i, j = %j) {
      // expected-error@below {{[unsupported_member] the list depends on the key; index it by batch and query indices}}
      %p = attn.member %i in %x[%j] : tensor<?x?xi32>
      attn.yield %p : i1
    }
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// -----

attn.kernel @random(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>) -> (o: tensor<?x?x?x64xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    score(%s, j = %j) {
      %seed = arith.index_cast %j : index to i64
      // expected-error@below {{[unsupported_random] the seed depends on the key}}
      %u = attn.random %seed[%j] : i64 -> f32
      %t = arith.addf %s, %u : f32
      attn.yield %t : f32
    }
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}
