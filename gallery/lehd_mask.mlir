// A shrinking set of open nodes, eight heads of 16 features: every layer of the decoder attends among the nodes that are left, all others are masked and 0 (Luo et al., LEHD, 2023).
// attn-run: --size n=102 --size open.1=60 --size h=8
// attn-bench: --size b=16 --size h=8 --size n=1002 --size open.1=600
!t = tensor<?x?x?x16xf32>
attn.kernel @lehd_mask(%q: !t, %k: !t, %v: !t, %open: tensor<?x?xi32>) -> (o: !t, lse: tensor<?x?x?xf32>) {
  %o, %lse = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = tokens<%open[b], unique> and where(b = %b, i = %i) {
      %p = attn.member %i in %open[%b] : tensor<?x?xi32>
      attn.yield %p : i1
    }
    outputs o[b, h, i, e], lse[b, h, i]
    : (!t, !t, !t) -> (!t, tensor<?x?x?xf32>)
  attn.return %o, %lse : !t, tensor<?x?x?xf32>
}
