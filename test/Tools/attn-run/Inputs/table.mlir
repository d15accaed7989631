// A table that is read at i + j: too short for its use unless it has I + J - 1 elements.
!t = tensor<?x?x?x64xf32>
attn.kernel @table(%q: !t, %k: !t, %v: !t, %table: tensor<?xf32>) -> (o: !t, lse: tensor<?x?x?xf32>) {
  %o, %lse = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    score(%s, i = %i, j = %j) {
      %d = arith.addi %i, %j : index
      %x = attn.load %table[%d] : tensor<?xf32>
      %t = arith.addf %s, %x : f32
      attn.yield %t : f32
    }
    outputs o[b, h, i, e], lse[b, h, i]
    : (!t, !t, !t) -> (!t, tensor<?x?x?xf32>)
  attn.return %o, %lse : !t, tensor<?x?x?xf32>
}
