// RUN: %attn-opt %s --split-input-file --verify-diagnostics

// Rules of attn.random.

attn.kernel @random_c1_none(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>, %s: i64) -> (o: tensor<?x?x?x64xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = where(h = %h, i = %i, j = %j) {
      // expected-error@below {{[random_c1] a number is drawn by one to four indices, not 0}}
      %u = attn.random %s[] : i64 -> f32
      %t = arith.constant true
      attn.yield %t : i1
    }
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// -----

attn.kernel @random_c1_five(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>, %s: i64) -> (o: tensor<?x?x?x64xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = where(h = %h, i = %i, j = %j) {
      // expected-error@below {{[random_c1] a number is drawn by one to four indices, not 5}}
      %u = attn.random %s[%h, %i, %j, %i, %j] : i64 -> f32
      %t = arith.constant true
      attn.yield %t : i1
    }
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}
