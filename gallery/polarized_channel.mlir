// Polarized self-attention, channel branch: one learned query looks at all pixels, LN and a sigmoid make a gate per channel, y = sigmoid(LN(W_z W_v x softmax_n(w_q x))) x (Liu et al., 2021).
// attn-run: --size i=1 --size j=1024 --size wv.0=32
// attn-bench: --size b=8 --size i=1 --size j=16384 --size wv.0=32
!x = tensor<?x64x?xf32>
!r = tensor<?x?xf32>
!q = tensor<?x64xf32>
!w = tensor<?x?x64xf32>
attn.kernel @polarized_channel(%x: !x, %wq: !q, %wv: !q, %wz: !r, %gain: tensor<?xf32>, %shift: tensor<?xf32>) -> (y: !x) {
  %seen = attn.attend dims(b | i | j | c, e) q = %wq[i, c] k = %x[b, c, j] v = %x[b, e, j]     // one query; W_v is applied to what it saw
    scale = 1.0 outputs o[b, i, e] : (!q, !x, !x) -> !w
  %ctx = attn.map dims(b, i, m, e) sum(i, e) (%v = %seen[b, i, e], %w = %wv[m, e]) { %y = arith.mulf %v, %w : f32  attn.yield %y : f32 } -> [b, m] : (!w, !q) -> !r
  %up = attn.map dims(b, c, m) sum(m) (%v = %ctx[b, m], %w = %wz[c, m]) { %y = arith.mulf %v, %w : f32  attn.yield %y : f32 } -> [b, c] : (!r, !r) -> !r
  %sum = attn.map dims(b, c) sum(c) (%v = %up[b, c]) { attn.yield %v : f32 } -> [b] : (!r) -> tensor<?xf32>
  %off = attn.map dims(b, c) (%v = %up[b, c], %s = %sum[b], c = %i) {
    %n = attn.extent %i : f32  %m = arith.divf %s, %n : f32  %y = arith.subf %v, %m : f32  attn.yield %y : f32 } -> [b, c] : (!r, tensor<?xf32>) -> !r
  %ss = attn.map dims(b, c) sum(c) (%v = %off[b, c]) { %y = arith.mulf %v, %v : f32  attn.yield %y : f32 } -> [b] : (!r) -> tensor<?xf32>
  %y = attn.map dims(b, c, n) (%u = %x[b, c, n], %v = %off[b, c], %s = %ss[b], %g = %gain[c], %a = %shift[c], c = %i) {
    %n = attn.extent %i : f32  %m = arith.divf %s, %n : f32  %eps = arith.constant 1.0e-5 : f32  %d = arith.addf %m, %eps : f32  %sd = math.sqrt %d : f32
    %w = arith.divf %v, %sd : f32  %z0 = arith.mulf %w, %g : f32  %z = arith.addf %z0, %a : f32
    %neg = arith.negf %z : f32  %e = math.exp %neg : f32  %one = arith.constant 1.0 : f32  %t = arith.addf %one, %e : f32  %o = arith.divf %u, %t : f32  attn.yield %o : f32
  } -> [b, c, n] : (!x, !r, tensor<?xf32>, tensor<?xf32>, tensor<?xf32>) -> !x
  attn.return %y : !x
}
