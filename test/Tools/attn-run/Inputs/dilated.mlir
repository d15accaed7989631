// A set that no named set says: every second key of the last 512.
!t = tensor<?x?x?x64xf32>
attn.kernel @dilated(%q: !t, %k: !t, %v: !t) -> (o: !t, lse: tensor<?x?x?xf32>) {
  %o, %lse = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = causal<bottom_right> and window<bottom_right, left = 512> and not where(i = %i, j = %j) {
      %two = arith.constant 2 : index
      %zero = arith.constant 0 : index
      %d = arith.subi %i, %j : index
      %r = arith.remsi %d, %two : index
      %p = arith.cmpi ne, %r, %zero : index
      attn.yield %p : i1
    }
    outputs o[b, h, i, e], lse[b, h, i]
    : (!t, !t, !t) -> (!t, tensor<?x?x?xf32>)
  attn.return %o, %lse : !t, tensor<?x?x?xf32>
}
