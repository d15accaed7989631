// Latent attention from its weights: W_UK is absorbed into the query and W_UV applied to what comes out, so that the cache holds the latent alone (DeepSeek-V2, 2024).
// attn-run: --size i=16 --size j=512 --size h=4
// attn-bench: --size h=16 --size i=1 --size j=8192
!n = tensor<?x?x?x128xf32>
!r = tensor<?x?x?x64xf32>
!l = tensor<?x?x512xf32>
!s = tensor<?x?x64xf32>
!q = tensor<?x?x?x512xf32>
attn.kernel @mla_absorbed(%q: !n, %qr: !r, %latent: !l, %kr: !s, %wuk: tensor<?x128x512xf32>, %wuv: tensor<?x512x128xf32>) -> (o: !n) {
  %a = attn.map dims(b, h, i, c, n) sum(n) (%x = %q[b, h, i, n], %w = %wuk[h, n, c]) { %y = arith.mulf %x, %w : f32  attn.yield %y : f32 } -> [b, h, i, c]
    : (!n, tensor<?x128x512xf32>) -> !q
  %p = attn.attend dims(b, h | i | j | c, r, e)
    q = %a[b, h, i, c] | %qr[b, h, i, r] k = %latent[b, j, c] | %kr[b, j, r] v = %latent[b, j, e]
    set = causal<bottom_right> scale = 0.07216878364870322 outputs o[b, h, i, e] : (!q, !l, !l, !r, !s) -> !q
  %o = attn.map dims(b, h, i, v, e) sum(e) (%x = %p[b, h, i, e], %w = %wuv[h, e, v]) { %y = arith.mulf %x, %w : f32  attn.yield %y : f32 } -> [b, h, i, v]
    : (!q, tensor<?x512x128xf32>) -> !n
  attn.return %o : !n
}
