// Squared ReLU over its sum: max(s + b, 0)^2 / (sum + eps), with a learned bias (as SparseNormer has it).
// attn-run: --param b=0.5 --param eps=1e-6
!t = tensor<?x?x?x64xf32>
attn.kernel @relu2(%q: !t, %k: !t, %v: !t, %b: f32, %eps: f32) -> (o: !t) {
  %o = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = causal<bottom_right> normalize = @relu2_sum(%b, %eps)
    outputs o[b, h, i, e]
    : (!t, !t, !t) -> !t
  attn.return %o : !t
}
