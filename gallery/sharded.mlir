// Sharded: three shards of the keys by themselves, merged by their lse; the sink, a logit per head without a value, counts once (Unified view of distributed attention).
// attn-run: --size n=64 --size k1.2=96 --size v1.2=96 --size k2.2=32 --size v2.2=32
!t = tensor<?x?x?x64xf32>
!r = tensor<?x?x?xf32>
attn.kernel @sharded(%q: !t, %k: !t, %v: !t, %k1: !t, %v1: !t, %k2: !t, %v2: !t, %b: tensor<?xf32>) -> (o: !t, lse: !r) {
  %o0, %lse0 = attn.attend dims(b, h | i | j | c, e) q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    outputs o[b, h, i, e], lse[b, h, i] : (!t, !t, !t) -> (!t, !r)
  %o1, %lse1 = attn.attend dims(b, h | i | j | c, e) q = %q[b, h, i, c] k = %k1[b, h, j, c] v = %v1[b, h, j, e]
    outputs o[b, h, i, e], lse[b, h, i] : (!t, !t, !t) -> (!t, !r)
  %o2, %lse2 = attn.attend dims(b, h | i | j | c, e) q = %q[b, h, i, c] k = %k2[b, h, j, c] v = %v2[b, h, j, e]
    outputs o[b, h, i, e], lse[b, h, i] : (!t, !t, !t) -> (!t, !r)
  %o, %lse = attn.merge dims(b, h, i, e) @softmax_sink(%b[h]) (%o0, %lse0), (%o1, %lse1), (%o2, %lse2)
    -> ([b, h, i, e], [b, h, i]) : (!t, !r, !t, !r, !t, !r) -> (!t, !r)
  attn.return %o, %lse : !t, !r
}
