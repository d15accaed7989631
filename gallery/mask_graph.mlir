// A sink and a causal window of 4, a mask whose graph is worth a report: its reach and radius (Wu et al., 2024).
// attn-run: --size n=32
!t = tensor<?x?x?x64xf32>
attn.kernel @mask_graph(%q: !t, %k: !t, %v: !t) -> (o: !t, lse: tensor<?x?x?xf32>) {
  %o, %lse = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = (sinks<1> or window<top_left, left = 4>) and causal<top_left>
    outputs o[b, h, i, e], lse[b, h, i]
    : (!t, !t, !t) -> (!t, tensor<?x?x?xf32>)
  attn.return %o, %lse : !t, tensor<?x?x?xf32>
}
