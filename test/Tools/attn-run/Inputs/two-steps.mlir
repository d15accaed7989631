// Two attends over other keys, merged, then gated and summed over heads.
!t = tensor<?x?x?x64xf32>
!l = tensor<?x?x?xf32>
attn.kernel @two(%q: !t, %k1: !t, %v1: !t, %k2: !t, %v2: !t, %gate: tensor<?x?xf32>) -> (y: tensor<?x?x64xf32>, lse: !l) {
  %o1, %l1 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k1[b, h, j, c] v = %v1[b, h, j, e]
    outputs o[b, h, i, e], lse[b, h, i]
    : (!t, !t, !t) -> (!t, !l)
  %o2, %l2 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k2[b, h, j, c] v = %v2[b, h, j, e]
    outputs o[b, h, i, e], lse[b, h, i]
    : (!t, !t, !t) -> (!t, !l)
  %o, %lse = attn.merge dims(b, h, i, e) @softmax (%o1, %l1), (%o2[b, h, i, e], %l2) : (!t, !l, !t, !l) -> (!t, !l)
  %y = attn.map dims(b, h, i, e) sum(h) (%x = %o[b, h, i, e], %g = %gate[b, h], i = %i) {
    %z = arith.mulf %x, %g : f32
    attn.yield %z : f32
  } -> [b, i, e] : (!t, tensor<?x?xf32>) -> tensor<?x?x64xf32>
  attn.return %y, %lse : tensor<?x?x64xf32>, !l
}
