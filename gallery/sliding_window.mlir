// Causal sliding window: the last w keys and the token itself (Jiang et al., Mistral 7B, 2023); w is known at run time.
// attn-run: --param w=16
!t = tensor<?x?x?x64xf32>
attn.kernel @sliding_window(%q: !t, %k: !t, %v: !t, %w: index) -> (o: !t, lse: tensor<?x?x?xf32>) {
  %o, %lse = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = causal<bottom_right> and window<bottom_right, left = %w>
    normalize = @softmax
    outputs o[b, h, i, e], lse[b, h, i]
    : (!t, !t, !t) -> (!t, tensor<?x?x?xf32>)
  attn.return %o, %lse : !t, tensor<?x?x?xf32>
}
