// Streaming with attention sinks: the first 4 keys and the last 1020 (Xiao et al., StreamingLLM, 2023).
// attn-run: --size n=2048
!t = tensor<?x?x?x64xf32>
attn.kernel @sinks(%q: !t, %k: !t, %v: !t) -> (o: !t, lse: tensor<?x?x?xf32>) {
  %o, %lse = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = (sinks<4> or window<bottom_right, left = 1019>) and causal<bottom_right>
    outputs o[b, h, i, e], lse[b, h, i]
    : (!t, !t, !t) -> (!t, tensor<?x?x?xf32>)
  attn.return %o, %lse : !t, tensor<?x?x?xf32>
}
