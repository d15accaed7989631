// Latent attention, absorbed: all heads share one key of 512 latent and 64 rotated features, and the latent ones are the value too, s = (Q . c + q_r . k_r) / sqrt(192) (DeepSeek-V2, 2024).
// attn-run: --size i=16 --size j=512 --param scale=0.072168784
// attn-bench: --size b=1 --size h=128 --size i=1 --size j=8192 --param scale=0.072168784
!q = tensor<?x?x?x512xf32>
!r = tensor<?x?x?x64xf32>
!l = tensor<?x?x576xf32>
attn.kernel @mla(%q: !q, %qr: !r, %latent: !l, %scale: f32) -> (o: !q, lse: tensor<?x?x?xf32>) {
  %o, %lse = attn.attend dims(b, h | i | j | c = 512, r = 64, e = 512)
    q = %q[b, h, i, c] | %qr[b, h, i, r] k = %latent[b, j, c] | %latent[b, j, r + 512] v = %latent[b, j, e]
    set = causal<bottom_right> scale = %scale
    outputs o[b, h, i, e], lse[b, h, i]
    : (!q, !l, !l, !r, !l) -> (!q, tensor<?x?x?xf32>)
  attn.return %o, %lse : !q, tensor<?x?x?xf32>
}
