// Causal attention, query i sees keys 0..i whatever the lengths (Vaswani et al., Attention Is All You Need, 2017).
// attn-run: --size i=48 --size j=64
!t = tensor<?x?x?x64xf32>
attn.kernel @causal_top_left(%q: !t, %k: !t, %v: !t) -> (o: !t, lse: tensor<?x?x?xf32>) {
  %o, %lse = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = causal<top_left>
    normalize = @softmax
    outputs o[b, h, i, e], lse[b, h, i]
    : (!t, !t, !t) -> (!t, tensor<?x?x?xf32>)
  attn.return %o, %lse : !t, tensor<?x?x?xf32>
}
