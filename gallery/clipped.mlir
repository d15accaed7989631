// Clipped softmax, clip((zeta - gamma) softmax(s) + gamma, 0, 1): small weights are exactly 0 (Bondarenko et al., Quantizable Transformers, 2023).
// attn-run: --size n=512 --param zeta=1 --param gamma=-0.025
!t = tensor<?x?x?x64xf32>
attn.kernel @clipped_attention(%q: !t, %k: !t, %v: !t, %zeta: f32, %gamma: f32) -> (o: !t, lse: tensor<?x?x?xf32>) {
  %o, %lse = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    normalize = @clipped(%zeta, %gamma)
    outputs o[b, h, i, e], lse[b, h, i]
    : (!t, !t, !t) -> (!t, tensor<?x?x?xf32>)
  attn.return %o, %lse : !t, tensor<?x?x?xf32>
}
