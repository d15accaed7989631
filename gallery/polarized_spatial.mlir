// Polarized self-attention, the paper's spatial branch: softmax over channels of the mean query, y = sigmoid(softmax_c'(W_q mean_n x) W_v x) x; rows of W_q and W_v are keys and values (Liu et al., 2021).
// attn-run: --size i=1 --size wq.0=32 --size x.2=1024
// attn-bench: --size b=8 --size i=1 --size wq.0=32 --size x.2=16384
!x = tensor<?x64x?xf32>
!r = tensor<?x?xf32>
!w = tensor<?x64xf32>
!m = tensor<?x1x64xf32>
attn.kernel @polarized_spatial(%x: !x, %wq: !w, %wv: !w) -> (y: !x) {
  %mean = attn.map dims(b, i, c, n) sum(n) (%u = %x[b, c, n], n = %n) { %pixels = attn.extent %n : f32  %y = arith.divf %u, %pixels : f32  attn.yield %y : f32 } -> [b, i, c] : (!x) -> !m
  %a = attn.attend dims(b | i | j | c, e) q = %mean[b, i, c] k = %wq[j, c] v = %wv[j, e] scale = 1.0 outputs o[b, i, e] : (!m, !w, !w) -> !m
  %s = attn.map dims(b, i, c, n) sum(i, c) (%u = %x[b, c, n], %v = %a[b, i, c]) { %y = arith.mulf %u, %v : f32  attn.yield %y : f32 } -> [b, n] : (!x, !m) -> !r
  %y = attn.map dims(b, c, n) (%u = %x[b, c, n], %z = %s[b, n]) {
    %neg = arith.negf %z : f32  %e = math.exp %neg : f32  %one = arith.constant 1.0 : f32  %t = arith.addf %one, %e : f32  %o = arith.divf %u, %t : f32  attn.yield %o : f32
  } -> [b, c, n] : (!x, !r) -> !x
  attn.return %y : !x
}
