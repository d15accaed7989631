// A prior as a product of experts: s + w log a, and KL(a || P) of every row (Le et al., Guiding Visual Question Answering with Attention Priors, 2022).
// attn-run: --param w=0.5
!t = tensor<?x?x?x64xf32>
attn.kernel @log_prior(%q: !t, %k: !t, %v: !t, %prior: tensor<?x?x?xf32>, %w: f32) -> (o: !t, lse: tensor<?x?x?xf32>, kl: tensor<?x?x?xf32>) {
  %o, %lse, %kl = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    score(%s, b = %b, i = %i, j = %j) { %a = attn.load %prior[%b, %i, %j] : tensor<?x?x?xf32>
      %g = math.log %a : f32  %m = arith.mulf %w, %g : f32  %t = arith.addf %s, %m : f32  attn.yield %t : f32 }
    reduce cross = sum(%s, b = %b, i = %i, j = %j) { %a = attn.load %prior[%b, %i, %j] : tensor<?x?x?xf32>
      %g = math.log %a : f32  %d = arith.subf %g, %s : f32  %f = arith.mulf %a, %d : f32  attn.yield %f : f32 }
    epilogue(lse = %l, cross = %x) -> (kl) { %y = arith.addf %x, %l : f32  attn.yield %y : f32 }
    outputs o[b, h, i, e], lse[b, h, i], kl[b, h, i]
    : (!t, !t, !t) -> (!t, tensor<?x?x?xf32>, tensor<?x?x?xf32>)
  attn.return %o, %lse, %kl : !t, tensor<?x?x?xf32>, tensor<?x?x?xf32>
}
