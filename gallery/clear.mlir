// CLEAR: %t tokens of text see and are seen by all, pixels see a disc around them (Liu et al., CLEAR, 2024; without pooled keys).
// attn-run: --size n=1056 --param t=32 --param r=8
!t = tensor<?x?x?x64xf32>
attn.kernel @clear(%q: !t, %k: !t, %v: !t, %t: index, %r: index) -> (o: !t, lse: tensor<?x?x?xf32>) {
  %o, %lse = attn.attend dims(b, h | i[?, 64] | j[?, 64] | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    first = %t
    set = global<%t> or disc<radius = %r>
    outputs o[b, h, i, e], lse[b, h, i]
    : (!t, !t, !t) -> (!t, tensor<?x?x?xf32>)
  attn.return %o, %lse : !t, tensor<?x?x?xf32>
}
