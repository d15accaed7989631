// Sets in which every query has a list of keys of its own.
!t = tensor<?x?x?x63xf32>
!v = tensor<?x?x?x40xf32>
!o = tensor<?x?x?x40xf32>
!ids = tensor<?x?x?x?xi32>
attn.kernel @tokens(%q: !t, %k: !t, %v: !v, %ids: !ids) -> (o: !o, lse: tensor<?x?x?xf32>) {
  %o, %lse = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = tokens<%ids[b, h, i]>
    outputs o[b, h, i, e], lse[b, h, i] : (!t, !t, !v) -> (!o, tensor<?x?x?xf32>)
  attn.return %o, %lse : !o, tensor<?x?x?xf32>
}

attn.kernel @causal(%q: !t, %k: !t, %v: !v, %ids: !ids) -> (o: !o, lse: tensor<?x?x?xf32>) {
  %o, %lse = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h floordiv 2, j, c] v = %v[b, h floordiv 2, j, e]
    set = tokens<%ids[b, h, i]> and causal<top_left>
    outputs o[b, h, i, e], lse[b, h, i] : (!t, !t, !v) -> (!o, tensor<?x?x?xf32>)
  attn.return %o, %lse : !o, tensor<?x?x?xf32>
}

attn.kernel @minus(%q: !t, %k: !t, %v: !v, %ids: !ids, %no: tensor<?x?xi32>) -> (o: !o, lse: tensor<?x?x?xf32>) {
  %o, %lse = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = tokens<%ids[b, h, i]> minus tokens<%no[b]>
    outputs o[b, h, i, e], lse[b, h, i] : (!t, !t, !v) -> (!o, tensor<?x?x?xf32>)
  attn.return %o, %lse : !o, tensor<?x?x?xf32>
}

attn.kernel @score(%q: !t, %k: !t, %v: !v, %ids: !ids, %bias: tensor<?xf32>, %seed: i64, %p: f32) -> (o: !o, lse: tensor<?x?x?xf32>) {
  %o, %lse = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    dropout(seed = %seed, probability = %p)
    set = tokens<%ids[b, h, i]> score(%s, j = %j) {
      %x = attn.load %bias[%j] : tensor<?xf32>
      %t = arith.addf %s, %x : f32
      attn.yield %t : f32
    }
    outputs o[b, h, i, e], lse[b, h, i] : (!t, !t, !v) -> (!o, tensor<?x?x?xf32>)
  attn.return %o, %lse : !o, tensor<?x?x?xf32>
}

attn.kernel @blocks(%q: !t, %k: !t, %v: !v, %ids: !ids) -> (o: !o, lse: tensor<?x?x?xf32>) {
  %o, %lse = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = blocks<%ids[b, h, i], block = 4>
    outputs o[b, h, i, e], lse[b, h, i] : (!t, !t, !v) -> (!o, tensor<?x?x?xf32>)
  attn.return %o, %lse : !o, tensor<?x?x?xf32>
}

// Keys and values with the features outermost.
attn.kernel @strided(%q: !t, %k: tensor<?x?x63x?xf32>, %v: tensor<?x?x40x?xf32>, %ids: !ids) -> (o: !o, lse: tensor<?x?x?xf32>) {
  %o, %lse = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, c, j] v = %v[b, h, e, j]
    set = tokens<%ids[b, h, i]>
    outputs o[b, h, i, e], lse[b, h, i] : (!t, tensor<?x?x63x?xf32>, tensor<?x?x40x?xf32>) -> (!o, tensor<?x?x?xf32>)
  attn.return %o, %lse : !o, tensor<?x?x?xf32>
}

attn.kernel @csr(%q: !t, %k: !t, %v: !v, %offsets: tensor<?x?xi64>, %columns: tensor<?x?xi64>) -> (o: !o, lse: tensor<?x?x?xf32>) {
  %o, %lse = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = csr<%offsets[b], %columns[b]>
    outputs o[b, h, i, e], lse[b, h, i] : (!t, !t, !v) -> (!o, tensor<?x?x?xf32>)
  attn.return %o, %lse : !o, tensor<?x?x?xf32>
}
