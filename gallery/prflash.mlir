// Probabilistic flash: causal, blocks of 64 x 64 pairs take part with a probability by their distance (PrFlashAttention, 2024).
// attn-run: --size n=1024 --param seed=1
!t = tensor<?x?x?x64xf32>
attn.kernel @prflash(%q: !t, %k: !t, %v: !t, %seed: i64, %p: tensor<?xf32>) -> (o: !t, lse: tensor<?x?x?xf32>) {
  %o, %lse = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = causal<top_left> and random_blocks<seed = %seed, probability = %p, block = [64, 64]>
    outputs o[b, h, i, e], lse[b, h, i]
    : (!t, !t, !t) -> (!t, tensor<?x?x?xf32>)
  attn.return %o, %lse : !t, tensor<?x?x?xf32>
}
