// In-context linear regression: heads exp(q_h . x_l) with q_h = w_h x_q, values the labels, summed with mu_h over the heads (He et al., In-Context Linear Regression Demystified, 2025).
// attn-run: --size n=40 --size q.1=2
!q = tensor<?x?x?x8xf32>
!x = tensor<?x?x8xf32>
!y = tensor<?x?x1xf32>
!h = tensor<?x?x?x1xf32>
attn.kernel @icl_regression(%q: !q, %x: !x, %y: !y, %mu: tensor<?xf32>) -> (yhat: !y) {
  %o = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %x[b, j, c] v = %y[b, j, e]
    scale = 1.0 outputs o[b, h, i, e] : (!q, !x, !y) -> !h
  %yhat = attn.map dims(b, h, i, e) sum(h) (%a = %o[b, h, i, e], %m = %mu[h]) { %z = arith.mulf %a, %m : f32  attn.yield %z : f32 }
    -> [b, i, e] : (!h, tensor<?xf32>) -> !y
  attn.return %yhat : !y
}
