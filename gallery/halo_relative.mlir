// HaloNet with relative positions: blocks of 8 x 8 pixels and 3 around them, s = scale (q . k + q . r_y[dy] + q . r_x[dx]) (Vaswani et al., HaloNet, 2021).
// attn-run: --size n=784 --size ry.0=27 --size rx.0=27 --param scale=0.125
// attn-bench: --size b=4 --size n=3136 --size ry.0=27 --size rx.0=27 --param scale=0.125
!t = tensor<?x?x?x64xf32>
!p = tensor<?x64xf32>
attn.kernel @halo_relative(%q: !t, %k: !t, %v: !t, %ry: !p, %rx: !p, %scale: f32) -> (o: !t, lse: tensor<?x?x?xf32>) {
  %ty = attn.map dims(b, h, i, t, c) sum(c) (%x = %q[b, h, i, c], %r = %ry[t, c]) { %y = arith.mulf %x, %r : f32  attn.yield %y : f32 }
    -> [b, h, i, t] : (!t, !p) -> tensor<?x?x?x?xf32>
  %tx = attn.map dims(b, h, i, t, c) sum(c) (%x = %q[b, h, i, c], %r = %rx[t, c]) { %y = arith.mulf %x, %r : f32  attn.yield %y : f32 }
    -> [b, h, i, t] : (!t, !p) -> tensor<?x?x?x?xf32>
  %o, %lse = attn.attend dims(b, h | i[?, 28] | j[?, 28] | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = halo<block = [8, 8], halo = [3, 3]> scale = %scale score(%s, b = %b, h = %h, i = %i, j = %j) {
      %w = arith.constant 28 : index  %mid = arith.constant 16 : index                            // the window is 14 wide: offset 0 is row 13 + 3
      %yi = arith.divui %i, %w : index  %yj = arith.divui %j, %w : index  %dy = arith.subi %yj, %yi : index  %y = arith.addi %dy, %mid : index
      %xi = arith.remui %i, %w : index  %xj = arith.remui %j, %w : index  %dx = arith.subi %xj, %xi : index  %x = arith.addi %dx, %mid : index
      %f = attn.load %ty[%b, %h, %i, %y] : tensor<?x?x?x?xf32>  %g = attn.load %tx[%b, %h, %i, %x] : tensor<?x?x?x?xf32>
      %a = arith.addf %f, %g : f32  %m = arith.mulf %scale, %a : f32  %t = arith.addf %s, %m : f32  attn.yield %t : f32
    } outputs o[b, h, i, e], lse[b, h, i] : (!t, !t, !t) -> (!t, tensor<?x?x?xf32>)
  attn.return %o, %lse : !t, tensor<?x?x?xf32>
}
