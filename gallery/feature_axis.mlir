// Attention over the features of what an agent observes, for every batch and time of a (batch, time, feature, head, d) tensor, with the map itself and what each feature gets of it
// (after Bramlage and Cortese, Neurointerpretable Agents, 2020).
// attn-run: --size n=64 --size t=2
// attn-bench: --size b=256 --size t=1 --size h=1 --size n=128
!t = tensor<?x?x?x?x64xf32>
!p = tensor<?x?x?x?x?xf32>
!m = tensor<?x?x?x?xf32>
attn.kernel @feature_axis(%q: !t, %k: !t, %v: !t) -> (o: !t, p: !p, mass: !m) {
  %o, %p, %mass = attn.attend dims(b, t, h | i | j | c, e)
    q = %q[b, t, i, h, c] k = %k[b, t, j, h, c] v = %v[b, t, j, h, e]
    columns mass = sum(%w, %s) { attn.yield %w : f32 }
    outputs o[b, t, i, h, e], p[b, t, h, i, j], mass[b, t, j, h] : (!t, !t, !t) -> (!t, !p, !m)
  attn.return %o, %p, %mass : !t, !p, !m
}
