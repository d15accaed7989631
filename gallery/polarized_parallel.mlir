// Polarized self-attention as released, parallel: y = sigmoid(W_z W_v x softmax_n(w_q x)) x + sigmoid(softmax_n(mean_n(W_s x) W_u x)) x (Liu et al., 2021).
// attn-run: --size i=1 --size j=1024 --size wv.0=32 --size ws.0=32
// attn-bench: --size b=8 --size i=1 --size j=16384 --size wv.0=32 --size ws.0=32
!x = tensor<?x64x?xf32>
!r = tensor<?x?xf32>
!w = tensor<?x64xf32>
!m = tensor<?x1x64xf32>
attn.kernel @polarized_parallel(%x: !x, %wq: !w, %wv: !w, %wz: !r, %ws: !w, %wu: !w) -> (y: !x) {
  %seen = attn.attend dims(b | i | j | c, e) q = %wq[i, c] k = %x[b, c, j] v = %x[b, e, j] scale = 1.0 outputs o[b, i, e] : (!w, !x, !x) -> !m
  %ctx = attn.map dims(b, i, m, e) sum(i, e) (%v = %seen[b, i, e], %w = %wv[m, e]) { %y = arith.mulf %v, %w : f32  attn.yield %y : f32 } -> [b, m] : (!m, !w) -> !r
  %up = attn.map dims(b, c, m) sum(m) (%v = %ctx[b, m], %w = %wz[c, m]) { %y = arith.mulf %v, %w : f32  attn.yield %y : f32 } -> [b, c] : (!r, !r) -> !r
  %mean = attn.map dims(b, c, n) sum(n) (%u = %x[b, c, n], n = %n) { %pixels = attn.extent %n : f32  %y = arith.divf %u, %pixels : f32  attn.yield %y : f32 } -> [b, c] : (!x) -> !r
  %qm = attn.map dims(b, c, m) sum(c) (%v = %mean[b, c], %w = %ws[m, c]) { %y = arith.mulf %v, %w : f32  attn.yield %y : f32 } -> [b, m] : (!r, !w) -> !r
  %q = attn.map dims(b, i, m, e) sum(m) (%v = %qm[b, m], %w = %wu[m, e]) { %y = arith.mulf %v, %w : f32  attn.yield %y : f32 } -> [b, i, e] : (!r, !w) -> !m
  %p = attn.attend dims(b | i | j | c) q = %q[b, i, c] k = %x[b, c, j] scale = 1.0 outputs p[b, i, j] : (!m, !x) -> tensor<?x1x?xf32>
  %y = attn.map dims(b, i, c, n) sum(i) (%u = %x[b, c, n], %z = %up[b, c], %s = %p[b, i, n]) {
    %one = arith.constant 1.0 : f32  %nz = arith.negf %z : f32  %ez = math.exp %nz : f32  %tz = arith.addf %one, %ez : f32  %gz = arith.divf %one, %tz : f32
    %ns = arith.negf %s : f32  %es = math.exp %ns : f32  %ts = arith.addf %one, %es : f32  %gs = arith.divf %one, %ts : f32
    %g = arith.addf %gz, %gs : f32  %o = arith.mulf %u, %g : f32  attn.yield %o : f32
  } -> [b, c, n] : (!x, !r, tensor<?x1x?xf32>) -> !x
  attn.return %y : !x
}
