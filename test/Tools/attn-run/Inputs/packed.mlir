// One tensor for queries, keys and values; a mask shared by all heads.
!x = tensor<?x?x3x?x64xf32>
!o = tensor<?x?x?x64xf32>
attn.kernel @packed(%x: !x, %m: tensor<?x?xi1>) -> (o: !o, lse: tensor<?x?x?xf32>) {
  %o, %lse = attn.attend dims(b, h | i | j | c, e)
    q = %x[b, i, 0, h, c] k = %x[b, j, 1, h, c] v = %x[b, j, 2, h, e]
    set = mask<%m[i, j]>
    outputs o[b, i, h, e], lse[b, h, i]
    : (!x, !x, !x) -> (!o, tensor<?x?x?xf32>)
  attn.return %o, %lse : !o, tensor<?x?x?xf32>
}
