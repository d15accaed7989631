// Sparsifiner: a list of keys for every row and head; row 0, the class token, sees all (Wei et al., Sparsifiner, 2023).
// attn-run: --size n=197 --size ids.3=50
!t = tensor<?x?x?x64xf32>
attn.kernel @sparsifiner(%q: !t, %k: !t, %v: !t, %ids: tensor<?x?x?x?xi32>) -> (o: !t, lse: tensor<?x?x?xf32>) {
  %o, %lse = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = tokens<%ids[b, h, i]> or where(i = %i) {
      %zero = arith.constant 0 : index
      %p = arith.cmpi eq, %i, %zero : index
      attn.yield %p : i1
    }
    outputs o[b, h, i, e], lse[b, h, i]
    : (!t, !t, !t) -> (!t, tensor<?x?x?xf32>)
  attn.return %o, %lse : !t, tensor<?x?x?xf32>
}
