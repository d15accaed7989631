// SparseBERT: every head keeps some distances |i - j|, the same in all rows (Shi et al., SparseBERT, 2021).
// attn-run: --size n=128 --size offsets.1=13
!t = tensor<?x?x?x64xf32>
attn.kernel @sparsebert(%q: !t, %k: !t, %v: !t, %offsets: tensor<?x?xi32>) -> (o: !t, lse: tensor<?x?x?xf32>) {
  %o, %lse = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = diagonals<top_left, %offsets[h], symmetric>
    outputs o[b, h, i, e], lse[b, h, i]
    : (!t, !t, !t) -> (!t, tensor<?x?x?xf32>)
  attn.return %o, %lse : !t, tensor<?x?x?xf32>
}
