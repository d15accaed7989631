// Sparsifiner with its predictor: coefficients over a basis of low rank, of which 8 are kept, estimate the map; the 50 largest estimates of a row are attended, the class token sees all (Wei et al., 2023).
// attn-run: --size n=197 --param scale=0.40824829
// attn-bench: --size b=16 --size h=6 --size n=197 --param scale=0.40824829
!t = tensor<?x?x?x64xf32>
!d = tensor<?x?x?x32xf32>
!b = tensor<?x32xf32>
!n = tensor<?x?x?x50xi32>
attn.kernel @sparsifiner_predict(%q: !t, %k: !t, %v: !t, %qd: !d, %kd: !d, %down: !b, %up: !b, %scale: f32) -> (o: !t, lse: tensor<?x?x?xf32>, ids: !n) {
  %kl = attn.map dims(b, h, r, c, j) sum(j) (%x = %kd[b, h, j, c], %w = %down[j, r]) { %y = arith.mulf %x, %w : f32  attn.yield %y : f32 } -> [b, h, r, c] : (!d, !b) -> !d
  %coef, %top = attn.attend dims(b, h | i | r | c)
    q = %qd[b, h, i, c] k = %kl[b, h, r, c] scale = %scale
    reduce top[s] = topk 8 outputs p[b, h, i, r], top[b, h, i, s] : (!d, !d) -> (!d, tensor<?x?x?x8xi32>)
  %kept = attn.map dims(b, h, i, r, s) sum(s) (%x = %coef[b, h, i, r], %u : i32 = %top[b, h, i, s], r = %r) {
    %m = arith.index_cast %u : i32 to index  %is = arith.cmpi eq, %m, %r : index  %zero = arith.constant 0.0 : f32
    %y = arith.select %is, %x, %zero : f32  attn.yield %y : f32 } -> [b, h, i, r] : (!d, tensor<?x?x?x8xi32>) -> !d
  %basis = attn.map dims(j, r) (%x = %up[j, r]) {
    %a = math.absf %x : f32  %least = arith.constant 0.02 : f32  %is = arith.cmpf ogt, %a, %least : f32  %zero = arith.constant 0.0 : f32
    %y = arith.select %is, %a, %zero : f32  attn.yield %y : f32 } -> [j, r] : (!b) -> !b
  %ids = attn.attend dims(b, h | i | j | c)
    q = %kept[b, h, i, c] k = %basis[j, c] scale = 1.0 reduce ids[s] = topk 50 outputs ids[b, h, i, s] : (!d, !b) -> !n
  %o, %lse = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = tokens<%ids[b, h, i] : !n> or where(i = %i) { %zero = arith.constant 0 : index  %p = arith.cmpi eq, %i, %zero : index  attn.yield %p : i1 }
    outputs o[b, h, i, e], lse[b, h, i] : (!t, !t, !t) -> (!t, tensor<?x?x?xf32>)
  attn.return %o, %lse, %ids : !t, tensor<?x?x?xf32>, !n
}
