// RUN: %attn-opt %s --verify-diagnostics --attn-pipeline-tile

// A call knows eight dimensions.
!p = tensor<?x?x?x?x?x4xf32>
!k = tensor<?x4xf32>
attn.kernel @many(%q: !p, %k: !k, %v: !k) -> (o: !p) {
  // expected-error@below {{[unsupported_dims] a kernel has at most 8 dimensions, with a feature for each part, not 9; join parts in one tensor, or batch dimensions}}
  %o = attn.attend dims(a, b, g, h | i | j | c, r, e)
    q = %q[a, b, g, h, i, c] | %q[a, b, g, h, i, r]
    k = %k[j, c] | %k[j, r]
    v = %v[j, e]
    outputs o[a, b, g, h, i, e]
    : (!p, !k, !k, !p, !k) -> (!p)
  attn.return %o : !p
}
