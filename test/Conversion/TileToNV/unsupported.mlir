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

// -----

// Sums of values of eight classes: no slice of value features is narrow enough.
!t = tensor<?x?x64xf32>
attn.normalizer @classes() {
  attn.pass ref = max
    gauge(%r0, %r1) { %d = arith.subf %r0, %r1 : f32  %g = math.exp %d : f32  attn.yield %g : f32 }
    phi(%s, %r) { %d = arith.subf %s, %r : f32  %w = math.exp %d : f32  attn.yield %w : f32 }
    sums(l = one, n0 = value in 0, n1 = value in 1, n2 = value in 2, n3 = value in 3, n4 = value in 4, n5 = value in 5, n6 = value in 6, n7 = value in 7)
  attn.finish(%r, %l, %n0, %n1, %n2, %n3, %n4, %n5, %n6, %n7) {
    %a1 = arith.addf %n0, %n1 : f32  %a2 = arith.addf %a1, %n2 : f32  %a3 = arith.addf %a2, %n3 : f32  %a4 = arith.addf %a3, %n4 : f32  %a5 = arith.addf %a4, %n5 : f32  %a6 = arith.addf %a5, %n6 : f32  %a7 = arith.addf %a6, %n7 : f32
    %o = arith.divf %a7, %l : f32  attn.yield %o : f32
  } outputs(o) empty(0.0)
}
attn.kernel @sums(%q: !t, %k: !t, %v: !t, %label: tensor<?x?xi32>) -> (o: !t) {
  // expected-error @+1 {{[unsupported_gpu] a thread would need about 306 registers (8 sums of 16 value features: 64, scores: 8, products: 96, loads: 28, addresses and rows: 110), and there are 255}}
  %o = attn.attend dims(b | i | j | c, e) q = %q[b, i, c] k = %k[b, j, c] v = %v[b, j, e]
    class(b = %b, j = %j) { %c = attn.load %label[%b, %j] : tensor<?x?xi32>  attn.yield %c : i32 }
    normalize = @classes outputs o[b, i, e] : (!t, !t, !t) -> !t
  attn.return %o : !t
}
