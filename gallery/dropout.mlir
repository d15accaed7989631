// Dropout of the weights, seeded: the same pairs whatever the schedule (Srivastava et al., Dropout, 2014).
// attn-run: --size n=64 --param seed=1 --param p=0.1
!t = tensor<?x?x?x64xf32>
attn.kernel @dropout(%q: !t, %k: !t, %v: !t, %seed: i64, %p: f32) -> (o: !t, lse: tensor<?x?x?xf32>) {
  %o, %lse = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    dropout(seed = %seed, probability = %p)
    set = causal<bottom_right>
    outputs o[b, h, i, e], lse[b, h, i]
    : (!t, !t, !t) -> (!t, tensor<?x?x?xf32>)
  attn.return %o, %lse : !t, tensor<?x?x?xf32>
}
