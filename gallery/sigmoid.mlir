// Sigmoid attention: weights sigmoid(s + b), no sum over the row; b = -log(keys) (Ramapuram et al., 2024).
// attn-run: --size n=512 --param b=-6.238
!t = tensor<?x?x?x64xf32>
attn.kernel @sigmoid_attention(%q: !t, %k: !t, %v: !t, %b: f32) -> (o: !t) {
  %o = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = causal<bottom_right> normalize = @sigmoid(%b)
    outputs o[b, h, i, e]
    : (!t, !t, !t) -> !t
  attn.return %o : !t
}
