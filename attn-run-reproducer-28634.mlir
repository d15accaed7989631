// attn-run /tmp/div.mlir --size n=50 --check
!t = tensor<?x?x16xf32>
attn.kernel @d(%q: !t, %k: !t, %v: !t, %m: tensor<?xi32>) -> (o: !t) {
  %o = attn.attend dims(b | i | j | c, e) q = %q[b, i, c] k = %k[b, j, c] v = %v[b, j, e]
    set = where(i = %i, j = %j) {
      %z = arith.subi %i, %j : index
      %r = arith.divsi %i, %z : index
      %c3 = arith.constant 3 : index
      %p = arith.cmpi slt, %r, %c3 : index
      attn.yield %p : i1
    }
    score(%s, i = %i, j = %j) {
      %f = arith.fptosi %s : f32 to i32
      %g = arith.sitofp %f : i32 to f32
      %t = arith.addf %g, %s : f32
      attn.yield %t : f32
    }
    outputs o[b, i, e] : (!t, !t, !t) -> !t
  attn.return %o : !t
}
