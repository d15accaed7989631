// RUN: %attn-opt %s --attn-link-normalizers --attn-schedule --attn-to-tile --verify-diagnostics

!t = tensor<?x?x64xf32>
!n = tensor<?x?x20000xi32>
attn.kernel @unsupported_topk(%q: !t, %k: !t) -> (ids: !n) {
  // expected-error@below {{[unsupported_topk] a topk finds up to 16384 keys here, not 20000; take fewer, or write a threshold as a set}}
  %ids = attn.attend dims(b | i | j | c)
    q = %q[b, i, c] k = %k[b, j, c]
    reduce ids[n] = topk 20000
    outputs ids[b, i, n]
    : (!t, !t) -> !n
  attn.return %ids : !n
}
