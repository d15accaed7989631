// Attention on prompts of Gaussian tokens: softmax and linear layers, x_q^T A x_l with the tokens as keys and values; q = A^T x_q (Maulen-Soto and Boyer, 2026).
!t = tensor<?x?x64xf32>
attn.kernel @pca(%q: !t, %x: !t) -> (soft: !t, linear: !t) {
  %soft = attn.attend dims(b | i | j | c, e)
    q = %q[b, i, c] k = %x[b, j, c] v = %x[b, j, e]
    scale = 1.0 outputs o[b, i, e] : (!t, !t, !t) -> !t
  %linear = attn.attend dims(b | i | j | c, e)
    q = %q[b, i, c] k = %x[b, j, c] v = %x[b, j, e]
    scale = 1.0 normalize = @identity_n outputs o[b, i, e] : (!t, !t, !t) -> !t
  attn.return %soft, %linear : !t, !t
}
