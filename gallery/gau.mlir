// Squared ReLU over the number of keys, max(s, 0)^2 / n, as in the gated attention unit (Hua et al., Transformer Quality in Linear Time, 2022).
!t = tensor<?x?x?x64xf32>
attn.kernel @gau(%q: !t, %k: !t, %v: !t) -> (o: !t) {
  %o = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = causal<bottom_right> normalize = @relu2_n
    outputs o[b, h, i, e]
    : (!t, !t, !t) -> !t
  attn.return %o : !t
}
