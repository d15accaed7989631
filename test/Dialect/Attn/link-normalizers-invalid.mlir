// RUN: %attn-opt %s --split-input-file --attn-link-normalizers --verify-diagnostics

// What only the linked normalizer of the library tells.

attn.kernel @attend_c10_output(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>) -> (entropy: tensor<?x?x?xf32>) {
  // expected-error@below {{[attend_c10] @softmax has no output 'entropy'; there are o, lse, reductions, columns and what the epilogue yields}}
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    outputs entropy[b, h, i]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?xf32>)
  attn.return %r0 : tensor<?x?x?xf32>
}

// -----

attn.kernel @attend_c15_library(%q: tensor<?x64xf32>) -> (o: tensor<?x64xf32>) {
  // expected-error@below {{[attend_c15] @clipped has 2 parameters, and gets 1 arguments}}
  %o = attn.attend dims(| i | j | c, e)
    q = %q[i, c] k = %q[j, c] v = %q[j, e]
    normalize = @clipped(1.1)
    outputs o[i, e]
    : (tensor<?x64xf32>, tensor<?x64xf32>, tensor<?x64xf32>) -> tensor<?x64xf32>
  attn.return %o : tensor<?x64xf32>
}

// -----

// The user's @sigmoid takes the place of the library's: it has no parameter.
attn.normalizer @sigmoid {
  attn.pass ref = none phi(%s) {
    attn.yield %s : f32
  } sums(n = value)
  attn.finish(%n) {
    attn.yield %n : f32
  } outputs(o) empty(0.0)
}
attn.kernel @attend_c15_own(%q: tensor<?x64xf32>) -> (o: tensor<?x64xf32>) {
  // expected-error@below {{[attend_c15] @sigmoid has 0 parameters, and gets 1 arguments}}
  %o = attn.attend dims(| i | j | c, e)
    q = %q[i, c] k = %q[j, c] v = %q[j, e]
    normalize = @sigmoid(1.0)
    outputs o[i, e]
    : (tensor<?x64xf32>, tensor<?x64xf32>, tensor<?x64xf32>) -> tensor<?x64xf32>
  attn.return %o : tensor<?x64xf32>
}
