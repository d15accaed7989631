// Top-k attention: the 16 keys with the largest products for each query, then attention to these alone (the selection of DeepSeek Sparse Attention, 2025).
// attn-run: --size n=128
!t = tensor<?x?x?x64xf32>
!n = tensor<?x?x?x16xi32>
attn.kernel @topk(%q: !t, %k: !t, %v: !t) -> (o: !t, lse: tensor<?x?x?xf32>, ids: !n) {
  %ids = attn.attend dims(b, h | i | j | c)
    q = %q[b, h, i, c] k = %k[b, h, j, c]
    set = causal<bottom_right> scale = 1.0
    reduce ids[n] = topk 16
    outputs ids[b, h, i, n]
    : (!t, !t) -> !n
  %o, %lse = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = tokens<%ids[b, h, i] : !n>
    outputs o[b, h, i, e], lse[b, h, i]
    : (!t, !t, !t) -> (!t, tensor<?x?x?xf32>)
  attn.return %o, %lse, %ids : !t, tensor<?x?x?xf32>, !n
}
