// What has no lowering for GPUs is refused with a reason.
// RUN: %attn-opt %s --attn-pipeline-nv --split-input-file --verify-diagnostics -o /dev/null
!t = tensor<?x?x64xf64>
attn.kernel @f64(%q: !t, %k: !t, %v: !t) -> (o: !t) {
  // expected-error @+1 {{[unsupported_gpu] f64 has no lowering for GPUs yet; use f32 operands}}
  %o = attn.attend dims(b | i | j | c, e) q = %q[b, i, c] k = %k[b, j, c] v = %v[b, j, e] normalize = @softmax outputs o[b, i, e] : (!t, !t, !t) -> !t
  attn.return %o : !t
}

// -----

!t = tensor<?x?x1024xf32>
attn.kernel @wide(%q: !t, %k: !t, %v: !t) -> (o: !t) {
  // expected-error @+1 {{[unsupported_gpu] a CTA would need 212800 bytes of shared memory}}
  %o = attn.attend dims(b | i | j | c, e) q = %q[b, i, c] k = %k[b, j, c] v = %v[b, j, e] normalize = @softmax outputs o[b, i, e] : (!t, !t, !t) -> !t
  attn.return %o : !t
}
