// Any mask, a bit for a pair: bit (j mod 32) of word j / 32 of every row (packed as in tree attention, FlashInfer, 2025).
// attn-run: --size n=128
!t = tensor<?x?x?x64xf32>
attn.kernel @bit_mask(%q: !t, %k: !t, %v: !t, %words: tensor<?x?x?x?xi32>) -> (o: !t, lse: tensor<?x?x?xf32>) {
  %o, %lse = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = bits<%words[b, h, i]>
    outputs o[b, h, i, e], lse[b, h, i]
    : (!t, !t, !t) -> (!t, tensor<?x?x?xf32>)
  attn.return %o, %lse : !t, tensor<?x?x?xf32>
}
