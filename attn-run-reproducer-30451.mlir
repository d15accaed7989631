// attn-run gallery/priors.mlir --check
// Attention steered by a prior a over the keys: o = g P v + (1 - g) a v, g in (0, 1) per query (Le et al., Guiding Visual Question Answering with Attention Priors, 2022).
!t = tensor<?x?x?x64xf32>
attn.kernel @priors(%q: !t, %k: !t, %v: !t, %prior: tensor<?x?x?xf32>, %g: tensor<?x?xf32>) -> (o: !t) {
  %own = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e] outputs o[b, h, i, e] : (!t, !t, !t) -> !t
  %given = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    score(%s, b = %b, i = %i, j = %j) { %a = attn.load %prior[%b, %i, %j] : tensor<?x?x?xf32>  attn.yield %a : f32 }
    normalize = @identity outputs o[b, h, i, e] : (!t, !t, !t) -> !t
  %o = attn.map dims(b, h, i, e) (%x = %own[b, h, i, e], %y = %given[b, h, i, e], %w = %g[b, i]) {
    %d = arith.subf %x, %y : f32  %m = arith.mulf %w, %d : f32  %z = arith.addf %y, %m : f32  attn.yield %z : f32
  } -> [b, h, i, e] : (!t, !t, tensor<?x?xf32>) -> !t
  attn.return %o : !t
}
