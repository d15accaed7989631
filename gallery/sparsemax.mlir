// Sparsemax: max(s - tau, 0) with tau such that a row sums to 1 (Martins and Astudillo, From Softmax to Sparsemax, 2016).
!t = tensor<?x?x?x64xf32>
attn.kernel @sparsemax_attention(%q: !t, %k: !t, %v: !t) -> (o: !t) {
  %o = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = causal<bottom_right> normalize = @sparsemax
    outputs o[b, h, i, e]
    : (!t, !t, !t) -> !t
  attn.return %o : !t
}
