// Decode: one new query for each sequence over the tokens that its cache holds so far; four query heads share a key head (the workload of FlashDecoding and of FlashInfer).
// attn-run: --size i=1 --size j=4096 --size h=8
// attn-bench: --size b=8 --size h=32 --size i=1 --size j=8192
!t = tensor<?x?x?x64xf32>
attn.kernel @decode(%q: !t, %k: !t, %v: !t, %length: tensor<?xi32>) -> (o: !t, lse: tensor<?x?x?xf32>) {
  %o, %lse = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h floordiv 4, j, c] v = %v[b, h floordiv 4, j, e]
    set = lengths<k = %length>
    outputs o[b, h, i, e], lse[b, h, i]
    : (!t, !t, !t) -> (!t, tensor<?x?x?xf32>)
  attn.return %o, %lse : !t, tensor<?x?x?xf32>
}
