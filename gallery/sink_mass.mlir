// Mass on every key, the mean weight that the queries from itself on give it: sinks stand out (Gu et al., When Attention Sink Emerges, 2025).
// attn-run: --size n=512 --param tokens=512
!t = tensor<?x?x?x64xf32>
attn.kernel @sink_mass(%q: !t, %k: !t, %v: !t, %tokens: f32) -> (o: !t, mass: tensor<?x?x?xf32>) {
  %o, %mass = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = causal<top_left> columns mass = sum(%w, %s, j = %j) {
      %n = arith.index_cast %j : index to i64  %x = arith.sitofp %n : i64 to f32
      %later = arith.subf %tokens, %x : f32  %m = arith.divf %w, %later : f32
      attn.yield %m : f32
    }
    outputs o[b, h, i, e], mass[b, h, j]
    : (!t, !t, !t) -> (!t, tensor<?x?x?xf32>)
  attn.return %o, %mass : !t, tensor<?x?x?xf32>
}
