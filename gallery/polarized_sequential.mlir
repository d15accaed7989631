// Polarized self-attention as released, sequential: a channel gate sigmoid(W_b relu(LN(W_a W_v x softmax_n(w_q x)))), then sigmoid(mean_n(W_s x) softmax_n(W_u x)) of its result (Liu et al., 2021).
// attn-run: --size wq.0=1 --size j=1024 --size wv.0=32 --size wa.0=8 --size ws.0=32
// attn-bench: --size b=8 --size wq.0=1 --size j=16384 --size wv.0=32 --size wa.0=8 --size ws.0=32
!x = tensor<?x64x?xf32>
!r = tensor<?x?xf32>
!w = tensor<?x64xf32>
!m = tensor<?x?x64xf32>
!v = tensor<?xf32>
attn.kernel @polarized_sequential(%x: !x, %wq: !w, %wv: !w, %wa: !r, %gain: !v, %shift: !v, %wb: !r, %ws: !w, %wu: !w) -> (y: !x) {
  %seen = attn.attend dims(b | i | j | c, e) q = %wq[i, c] k = %x[b, c, j] v = %x[b, e, j] scale = 1.0 outputs o[b, i, e] : (!w, !x, !x) -> !m
  %ctx = attn.map dims(b, i, m, e) sum(i, e) (%v = %seen[b, i, e], %w = %wv[m, e]) { %y = arith.mulf %v, %w : f32  attn.yield %y : f32 } -> [b, m] : (!m, !w) -> !r
  %low = attn.map dims(b, r, m) sum(m) (%v = %ctx[b, m], %w = %wa[r, m]) { %y = arith.mulf %v, %w : f32  attn.yield %y : f32 } -> [b, r] : (!r, !r) -> !r
  %mu = attn.map dims(b, r) sum(r) (%v = %low[b, r], r = %r) { %hidden = attn.extent %r : f32  %y = arith.divf %v, %hidden : f32  attn.yield %y : f32 } -> [b] : (!r) -> !v
  %var = attn.map dims(b, r) sum(r) (%v = %low[b, r], %s = %mu[b], r = %r) { %hidden = attn.extent %r : f32
    %d = arith.subf %v, %s : f32  %e = arith.mulf %d, %d : f32  %y = arith.divf %e, %hidden : f32  attn.yield %y : f32 } -> [b] : (!r, !v) -> !v
  %relu = attn.map dims(b, r) (%v = %low[b, r], %s = %mu[b], %q = %var[b], %g = %gain[r], %a = %shift[r]) {
    %d = arith.subf %v, %s : f32  %eps = arith.constant 1.0e-5 : f32  %n = arith.addf %q, %eps : f32  %sd = math.sqrt %n : f32  %w = arith.divf %d, %sd : f32
    %z0 = arith.mulf %w, %g : f32  %z = arith.addf %z0, %a : f32  %zero = arith.constant 0.0 : f32  %y = arith.maximumf %z, %zero : f32  attn.yield %y : f32
  } -> [b, r] : (!r, !v, !v, !v, !v) -> !r
  %up = attn.map dims(b, c, r) sum(r) (%v = %relu[b, r], %w = %wb[c, r]) { %y = arith.mulf %v, %w : f32  attn.yield %y : f32 } -> [b, c] : (!r, !r) -> !r
  %x1 = attn.map dims(b, c, n) (%u = %x[b, c, n], %z = %up[b, c]) {
    %neg = arith.negf %z : f32  %e = math.exp %neg : f32  %one = arith.constant 1.0 : f32  %t = arith.addf %one, %e : f32  %o = arith.divf %u, %t : f32  attn.yield %o : f32
  } -> [b, c, n] : (!x, !r) -> !x
  %mean = attn.map dims(b, c, n) sum(n) (%u = %x1[b, c, n], n = %n) { %pixels = attn.extent %n : f32  %y = arith.divf %u, %pixels : f32  attn.yield %y : f32 } -> [b, c] : (!x) -> !r
  %qm = attn.map dims(b, c, m) sum(c) (%v = %mean[b, c], %w = %ws[m, c]) { %y = arith.mulf %v, %w : f32  attn.yield %y : f32 } -> [b, m] : (!r, !w) -> !r
  %s = attn.attend dims(b | i | j | c) q = %wu[i, c] k = %x1[b, c, j] scale = 1.0                     // a row of W_u is a query; what it weighs comes back to the pixels
    columns s = sum(%w, %l, b = %b, i = %i) { %v = attn.load %qm[%b, %i] : !r  %y = arith.mulf %v, %w : f32  attn.yield %y : f32 } outputs s[b, j] : (!w, !x) -> !r
  %y = attn.map dims(b, c, n) (%u = %x1[b, c, n], %z = %s[b, n]) {
    %neg = arith.negf %z : f32  %e = math.exp %neg : f32  %one = arith.constant 1.0 : f32  %t = arith.addf %one, %e : f32  %o = arith.divf %u, %t : f32  attn.yield %o : f32
  } -> [b, c, n] : (!x, !r) -> !x
  attn.return %y : !x
}
