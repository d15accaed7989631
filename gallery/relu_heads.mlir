// ReLU attention over n with many random heads, summed: f(x_0) = sum_m 1/n sum_i relu(x_0^T W_m x_i) v_m . x_i; q_m = W_m^T x_0, u = v_m . x_i (Fu et al., 2023).
// attn-run: --size n=32 --size q.1=256
!q = tensor<?x?x?x16xf32>
!x = tensor<?x?x16xf32>
!u = tensor<?x?x?x1xf32>
!f = tensor<?x?x1xf32>
attn.kernel @relu_heads(%q: !q, %x: !x, %u: !u) -> (f: !f) {
  %o = attn.attend dims(b, m | i | j | c, e)
    q = %q[b, m, i, c] k = %x[b, j, c] v = %u[b, m, j, e]
    scale = 1.0 normalize = @relu_n outputs o[b, m, i, e] : (!q, !x, !u) -> !u
  %f = attn.map dims(b, m, i, e) sum(m) (%y = %o[b, m, i, e]) { attn.yield %y : f32 } -> [b, i, e] : (!u) -> !f
  attn.return %f : !f
}
