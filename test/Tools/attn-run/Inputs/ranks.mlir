// Queries see the keys of lower rank. The keys' ranks ascend in a range, those of the queries are in one.
!t = tensor<?x?x?x64xf32>
attn.kernel @ranks(%q: !t, %k: !t, %v: !t, %a: tensor<?x?xi32> {attn.range = array<i64: 3, 9>}, %x: tensor<?x?xi64> {attn.sorted, attn.range = array<i64: -1, 12>}) -> (o: !t, lse: tensor<?x?x?xf32>) {
  %o, %lse = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = where(b = %b, i = %i, j = %j) {
      %m = attn.load %a[%b, %i] : tensor<?x?xi32>
      %w = arith.extsi %m : i32 to i64
      %n = attn.load %x[%b, %j] : tensor<?x?xi64>
      %p = arith.cmpi slt, %n, %w : i64
      attn.yield %p : i1
    }
    outputs o[b, h, i, e], lse[b, h, i]
    : (!t, !t, !t) -> (!t, tensor<?x?x?xf32>)
  attn.return %o, %lse : !t, tensor<?x?x?xf32>
}
