// Block-sparse attention: a list of key blocks for every block of queries (Zaheer et al., Big Bird, 2020; given at run time).
// attn-run: --size n=1024 --size list.3=4
!t = tensor<?x?x?x64xf32>
attn.kernel @block_sparse(%q: !t, %k: !t, %v: !t, %list: tensor<?x?x?x?xi32>) -> (o: !t, lse: tensor<?x?x?xf32>) {
  %o, %lse = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = blocks<%list[b, h, i floordiv 64], block = 64>
    outputs o[b, h, i, e], lse[b, h, i]
    : (!t, !t, !t) -> (!t, tensor<?x?x?xf32>)
  attn.return %o, %lse : !t, tensor<?x?x?xf32>
}
