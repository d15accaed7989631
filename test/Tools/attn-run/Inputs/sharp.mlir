// Scores of up to 100, whose rounding is larger than that of a weight; NORMALIZER is replaced.
!t = tensor<?x?x?x8xf32>
!r = tensor<?x?x?xf32>
!p = tensor<?x?x?x?xf32>
attn.kernel @sharp(%q: !t, %k: !t, %v: !t, %u: !t) -> (o: !t, p: !p, mass: !r, sum: !t) {
  %o, %p, %mass, %sum = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = causal<bottom_right> scale = 3.0 normalize = @NORMALIZER
    columns mass = sum(%w, %s, i = %i, j = %j) { attn.yield %w : f32 }
    aggregate sum = %u[b, h, i, e]
    outputs o[b, h, i, e], p[b, h, i, j], mass[b, h, j], sum[b, h, j, e]
    : (!t, !t, !t) -> (!t, !p, !r, !t)
  attn.return %o, %p, %mass, %sum : !t, !p, !r, !t
}
