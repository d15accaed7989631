!t = tensor<?x?x64xf32>
attn.kernel @f(%q: !t, %k: !t, %v: !t) -> (out: !t, l: tensor<?x?xf32>, mass: tensor<?x?xf32>) {
  %o, %l, %m = attn.attend dims(b | i | j | c, e)
    q = %q[b, i, c] k = %k[b, j, c] v = %v[b, j, e]
    columns weight = sum(%w, %s) { attn.yield %w : f32 }
    outputs o[b, i, e], lse[b, i], weight[b, j]
    : (!t, !t, !t) -> (!t, tensor<?x?xf32>, tensor<?x?xf32>)
  attn.return %o, %l, %m : !t, tensor<?x?xf32>, tensor<?x?xf32>
}
