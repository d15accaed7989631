// Cascade: a prefix that all sequences share is attended once for all, each one's own keys by themselves, and the two are merged (Ye et al., FlashInfer, 2025).
// attn-run: --size n=64 --size pk.1=192 --size pv.1=192
!t = tensor<?x?x?x64xf32>
!p = tensor<?x?x64xf32>
!r = tensor<?x?x?xf32>
attn.kernel @cascade(%q: !t, %k: !t, %v: !t, %pk: !p, %pv: !p) -> (o: !t, lse: !r) {
  %o1, %lse1 = attn.attend dims(b, h | i | j | c, e) q = %q[b, h, i, c] k = %pk[h, j, c] v = %pv[h, j, e]
    outputs o[b, h, i, e], lse[b, h, i] : (!t, !p, !p) -> (!t, !r)
  %o2, %lse2 = attn.attend dims(b, h | i | j | c, e) q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = causal<bottom_right> outputs o[b, h, i, e], lse[b, h, i] : (!t, !t, !t) -> (!t, !r)
  %o, %lse = attn.merge dims(b, h, i, e) @softmax (%o1, %lse1), (%o2, %lse2) -> ([b, h, i, e], [b, h, i]) : (!t, !r, !t, !r) -> (!t, !r)
  attn.return %o, %lse : !t, !r
}
