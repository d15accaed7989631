// A list of keys for every block g of queries, as selected for all of them together.
// attn-run: --size g=4 --size i=96 --size j=1024 --size list.3=256
!q = tensor<?x?x?x?x64xf32>
!t = tensor<?x?x?x64xf32>
attn.kernel @shared_keys(%q: !q, %k: !t, %v: !t, %list: tensor<?x?x?x?xi32>) -> (o: !q, lse: tensor<?x?x?x?xf32>) {
  %o, %lse = attn.attend dims(b, h, g | i | j | c, e)
    q = %q[b, h, g, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = tokens<%list[b, h, g], sorted, unique>
    outputs o[b, h, g, i, e], lse[b, h, g, i]
    : (!q, !t, !t) -> (!q, tensor<?x?x?x?xf32>)
  attn.return %o, %lse : !q, tensor<?x?x?x?xf32>
}
