// Power law graph attention from the metric A: G = a (f(W A + b) + 1e-9)^p + c with f(z) = z silu(z), powers elementwise, products per head; then s = q G k / sqrt d (Gokden, PLDR-LLM, 2025).
// attn-run: --size n=64
// attn-bench: --size n=1024
!t = tensor<?x?x?x64xf32>
!g = tensor<?x?x64x64xf32>
!w = tensor<?x64x64xf32>
attn.kernel @plga_graph(%q: !t, %k: !t, %v: !t, %metric: !g, %w: !w, %b: !w, %power: !w, %a: !w, %c: !w) -> (o: !t, g: !g) {
  %wa = attn.map dims(b, h, x, y, z) sum(z) (%u = %w[h, x, z], %m = %metric[b, h, z, y]) { %f = arith.mulf %u, %m : f32  attn.yield %f : f32 } -> [b, h, x, y] : (!w, !g) -> !g
  %ap = attn.map dims(b, h, x, y) (%u = %wa[b, h, x, y], %s = %b[h, x, y], %p = %power[h, x, y]) {
    %z = arith.addf %u, %s : f32  %n = arith.negf %z : f32  %e = math.exp %n : f32  %one = arith.constant 1.0 : f32  %d = arith.addf %one, %e : f32
    %zz = arith.mulf %z, %z : f32  %f = arith.divf %zz, %d : f32  %least = arith.constant 1.0e-9 : f32  %g = arith.addf %f, %least : f32
    %l = math.log %g : f32  %lp = arith.mulf %l, %p : f32  %y = math.exp %lp : f32  attn.yield %y : f32 } -> [b, h, x, y] : (!g, !w, !w) -> !g
  %ag = attn.map dims(b, h, x, y, z) sum(z) (%u = %a[h, x, z], %m = %ap[b, h, z, y]) { %f = arith.mulf %u, %m : f32  attn.yield %f : f32 } -> [b, h, x, y] : (!w, !g) -> !g
  %g = attn.map dims(b, h, x, y) (%u = %ag[b, h, x, y], %s = %c[h, x, y]) { %f = arith.addf %u, %s : f32  attn.yield %f : f32 } -> [b, h, x, y] : (!g, !w) -> !g
  %o = attn.attend dims(b, h | i | j | c, r, e)
    q = %q[b, h, i, c] k = %k[b, h, j, r] v = %v[b, h, j, e] bilinear = %g[b, h, c, r] set = causal<bottom_right> outputs o[b, h, i, e] : (!t, !t, !t, !g) -> !t
  attn.return %o, %g : !t, !g
}
