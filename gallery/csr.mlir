// Attention over a graph: the neighbors of node i are a row of a CSR matrix (Velickovic et al., Graph Attention Networks, 2018).
// attn-run: --size n=128
!t = tensor<?x?x?x64xf32>
attn.kernel @csr(%q: !t, %k: !t, %v: !t, %offsets: tensor<?x?xi32>, %columns: tensor<?x?xi32>) -> (o: !t, lse: tensor<?x?x?xf32>) {
  %o, %lse = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = csr<%offsets[b], %columns[b]>
    outputs o[b, h, i, e], lse[b, h, i]
    : (!t, !t, !t) -> (!t, tensor<?x?x?xf32>)
  attn.return %o, %lse : !t, tensor<?x?x?xf32>
}
