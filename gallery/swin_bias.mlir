// Windows of 7 x 7 pixels with a table of relative positions for each head, table[(dy + 6) 13 + dx + 6, h] (Liu et al., Swin Transformer, 2021).
// attn-run: --size n=784 --size table.0=169
// attn-bench: --size b=32 --size n=784 --size table.0=169
!t = tensor<?x?x?x64xf32>
attn.kernel @swin_bias(%q: !t, %k: !t, %v: !t, %table: tensor<?x?xf32>) -> (o: !t, lse: tensor<?x?x?xf32>) {
  %o, %lse = attn.attend dims(b, h | i[?, 28] | j[?, 28] | c, e) q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = halo<block = [7, 7], halo = [0, 0]> score(%s, h = %h, i = %i, j = %j) {
      %w = arith.constant 28 : index  %last = arith.constant 6 : index  %row = arith.constant 13 : index
      %yi = arith.divui %i, %w : index  %yj = arith.divui %j, %w : index  %dy = arith.subi %yi, %yj : index  %y = arith.addi %dy, %last : index
      %xi = arith.remui %i, %w : index  %xj = arith.remui %j, %w : index  %dx = arith.subi %xi, %xj : index  %x = arith.addi %dx, %last : index
      %a = arith.muli %y, %row : index  %n = arith.addi %a, %x : index
      %f = attn.load %table[%n, %h] : tensor<?x?xf32>  %t = arith.addf %s, %f : f32  attn.yield %t : f32
    } outputs o[b, h, i, e], lse[b, h, i] : (!t, !t, !t) -> (!t, tensor<?x?x?xf32>)
  attn.return %o, %lse : !t, tensor<?x?x?xf32>
}
