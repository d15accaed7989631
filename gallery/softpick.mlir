// Softpick: max(e^s - 1, 0) / (sum |e^s - 1| + eps), no sink and exact zeros (Zuhri et al., Softpick, 2025).
!t = tensor<?x?x?x64xf32>
attn.kernel @softpick_attention(%q: !t, %k: !t, %v: !t) -> (o: !t) {
  %o = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = causal<bottom_right> normalize = @softpick
    outputs o[b, h, i, e]
    : (!t, !t, !t) -> !t
  attn.return %o : !t
}
