// Latent attention, plain (prefill): every head has keys of its own without positions, and one rotated key is shared, s = (q . k + q_r . k_r) / sqrt(c + r); the value is narrower (DeepSeek-V2, 2024).
// attn-bench: --size h=16 --size n=2048
!t = tensor<?x?x?x128xf32>
!r = tensor<?x?x?x64xf32>
!s = tensor<?x?x64xf32>
attn.kernel @mla_plain(%q: !t, %qr: !r, %k: !t, %kr: !s, %v: !t) -> (o: !t, lse: tensor<?x?x?xf32>) {
  %o, %lse = attn.attend dims(b, h | i | j | c, r, e)
    q = %q[b, h, i, c] | %qr[b, h, i, r] k = %k[b, h, j, c] | %kr[b, j, r] v = %v[b, h, j, e]
    set = causal<bottom_right>
    outputs o[b, h, i, e], lse[b, h, i]
    : (!t, !t, !t, !r, !s) -> (!t, tensor<?x?x?xf32>)
  attn.return %o, %lse : !t, tensor<?x?x?xf32>
}
