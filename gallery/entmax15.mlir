// 1.5-entmax: max(s / 2 - tau, 0)^2 with tau such that a row sums to 1 (Peters et al., Sparse Sequence-to-Sequence Models, 2019).
!t = tensor<?x?x?x64xf32>
attn.kernel @entmax15_attention(%q: !t, %k: !t, %v: !t) -> (o: !t) {
  %o = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = causal<bottom_right> normalize = @entmax15
    outputs o[b, h, i, e]
    : (!t, !t, !t) -> !t
  attn.return %o : !t
}
