// Talking heads: logits are mixed over heads before the softmax and weights after it, o_f = sum_g post_fg softmax(sum_h pre_gh q_h . k_h / sqrt d) v_f; two heads side by side (Shazeer et al., 2020).
// attn-run: --size g=2
!t = tensor<?x?x128xf32>
!w = tensor<?x?x?x128xf32>
attn.kernel @talking_heads(%q: !t, %k: !t, %v: !t, %pre: tensor<?x2xf32>, %post: tensor<2x?xf32>) -> (o: !t) {
  %m = attn.map dims(b, g, i, x) (%u = %q[b, i, x], %a = %pre[g, x floordiv 64]) { %y = arith.mulf %u, %a : f32  attn.yield %y : f32 } -> [b, g, i, x]
    : (!t, tensor<?x2xf32>) -> !w
  %p = attn.attend dims(b, g | i | j | c, e)                                   // the sum over heads and features at once; every map meets the values of all heads
    q = %m[b, g, i, c] k = %k[b, j, c] v = %v[b, j, e]
    set = causal<bottom_right> scale = 0.125 outputs o[b, g, i, e] : (!w, !t, !t) -> !w
  %o = attn.map dims(b, i, x, g) sum(g) (%u = %p[b, g, i, x], %a = %post[x floordiv 64, g]) { %y = arith.mulf %u, %a : f32  attn.yield %y : f32 } -> [b, i, x]
    : (!w, tensor<2x?xf32>) -> !t
  attn.return %o : !t
}
