// Pages: one pool of keys for all sequences, each sees the pages of its table (Kwon et al., PagedAttention, 2023).
// attn-run: --size i=16 --size j=512 --size table.1=12
!t = tensor<?x?x?x64xf32>
!kv = tensor<?x?x64xf32>
attn.kernel @pages(%q: !t, %k: !kv, %v: !kv, %table: tensor<?x?xi32>) -> (o: !t, lse: tensor<?x?x?xf32>) {
  %o, %lse = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[h, j, c] v = %v[h, j, e]
    set = pages<%table[b], block = 16>
    outputs o[b, h, i, e], lse[b, h, i]
    : (!t, !kv, !kv) -> (!t, tensor<?x?x?xf32>)
  attn.return %o, %lse : !t, tensor<?x?x?xf32>
}
