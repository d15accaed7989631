// Tensor-parallel latent attention, two shards in one program: each has all heads and half of the latent, with a softmax of its own; what they give is projected and summed (TPLA, 2025).
// attn-run: --size i=4 --size j=512 --size d=64 --param mu0=1.5 --param mu1=2.5 --param scale=0.072168784
// attn-bench: --size h=128 --size i=1 --size j=8192 --size d=64 --param mu0=1.5 --param mu1=2.5 --param scale=0.072168784
!q = tensor<?x?x?x256xf32>
!r = tensor<?x?x?x64xf32>
!l = tensor<?x?x256xf32>
!s = tensor<?x?x64xf32>
!w = tensor<?x256x?xf32>
attn.kernel @tpla(%q0: !q, %q1: !q, %qr: !r, %l0: !l, %l1: !l, %kr: !s, %w0: !w, %w1: !w, %mu0: f32, %mu1: f32, %scale: f32) -> (out: tensor<?x?x?xf32>) {
  %o0 = attn.attend dims(b, h | i | j | c, r, e)
    q = %q0[b, h, i, c] as (%x) { %y = arith.mulf %x, %mu0 : f32  attn.yield %y : f32 } | %qr[b, h, i, r] k = %l0[b, j, c] | %kr[b, j, r] v = %l0[b, j, e]
    set = causal<bottom_right> scale = %scale outputs o[b, h, i, e] : (!q, !l, !l, !r, !s) -> !q
  %o1 = attn.attend dims(b, h | i | j | c, r, e)
    q = %q1[b, h, i, c] as (%x) { %y = arith.mulf %x, %mu1 : f32  attn.yield %y : f32 } | %qr[b, h, i, r] k = %l1[b, j, c] | %kr[b, j, r] v = %l1[b, j, e]
    set = causal<bottom_right> scale = %scale outputs o[b, h, i, e] : (!q, !l, !l, !r, !s) -> !q
  %out = attn.map dims(b, i, d, h, e) sum(h, e) (%x = %o0[b, h, i, e], %u = %w0[h, e, d], %y = %o1[b, h, i, e], %v = %w1[h, e, d]) {
    %m = arith.mulf %x, %u : f32  %n = arith.mulf %y, %v : f32  %z = arith.addf %m, %n : f32  attn.yield %z : f32 } -> [b, i, d] : (!q, !w, !q, !w) -> tensor<?x?x?xf32>
  attn.return %out : tensor<?x?x?xf32>
}
