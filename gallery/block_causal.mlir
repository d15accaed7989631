// Block causal: tokens of a block of 128 see it and the blocks before (Arriola et al., Block Diffusion, 2025).
// attn-run: --size n=512
!t = tensor<?x?x?x64xf32>
attn.kernel @block_causal(%q: !t, %k: !t, %v: !t) -> (o: !t, lse: tensor<?x?x?xf32>) {
  %o, %lse = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = block_causal<top_left, block = 128>
    outputs o[b, h, i, e], lse[b, h, i]
    : (!t, !t, !t) -> (!t, tensor<?x?x?xf32>)
  attn.return %o, %lse : !t, tensor<?x?x?xf32>
}
