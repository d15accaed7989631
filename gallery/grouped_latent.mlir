// Grouped latent attention: heads in groups, each with a latent of its own that is key and value; the rotated key is shared by all; outputs are projected and summed over heads (GLA, 2025).
// attn-run: --size i=4 --size j=512 --size h=8 --size d=64 --param scale=0.072168784
// attn-bench: --size h=128 --size i=1 --size j=8192 --size latent.1=32 --size d=64 --param scale=0.072168784
!q = tensor<?x?x?x256xf32>
!r = tensor<?x?x?x64xf32>
!l = tensor<?x?x?x256xf32>
!s = tensor<?x?x64xf32>
!w = tensor<?x256x?xf32>
attn.kernel @grouped_latent(%q: !q, %qr: !r, %latent: !l, %kr: !s, %w: !w, %scale: f32) -> (out: tensor<?x?x?xf32>) {
  %o = attn.attend dims(b, h | i | j | c, r, e)
    q = %q[b, h, i, c] | %qr[b, h, i, r] k = %latent[b, h floordiv 4, j, c] | %kr[b, j, r] v = %latent[b, h floordiv 4, j, e]
    set = causal<bottom_right> scale = %scale outputs o[b, h, i, e] : (!q, !l, !l, !r, !s) -> !q
  %out = attn.map dims(b, i, d, h, e) sum(h, e) (%x = %o[b, h, i, e], %u = %w[h, e, d]) { %z = arith.mulf %x, %u : f32  attn.yield %z : f32 } -> [b, i, d]
    : (!q, !w) -> tensor<?x?x?xf32>
  attn.return %out : tensor<?x?x?xf32>
}
