// Mean distance that a row attends to, on a grid of patches, and its entropy (Toledo and Martinez, 2026).
// attn-run: --size n=196
!t = tensor<?x?x?x64xf32>
attn.kernel @distance_entropy(%q: !t, %k: !t, %v: !t) -> (o: !t, distance: tensor<?x?x?xf32>, entropy: tensor<?x?x?xf32>) {
  %o, %distance, %entropy = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    reduce mean = weighted(%s) { attn.yield %s : f32 } reduce distance = weighted(%s, i = %i, j = %j) {
      %w = arith.constant 14 : index
      %a = arith.divsi %i, %w : index  %b = arith.divsi %j, %w : index  %c = arith.remsi %i, %w : index  %d = arith.remsi %j, %w : index
      %y = arith.subi %a, %b : index  %x = arith.subi %c, %d : index  %yy = arith.muli %y, %y : index  %xx = arith.muli %x, %x : index
      %n = arith.addi %yy, %xx : index  %m = arith.index_cast %n : index to i64  %f = arith.sitofp %m : i64 to f32  %r = math.sqrt %f : f32
      attn.yield %r : f32 } epilogue(lse = %l, mean = %m) -> (entropy) { %zero = arith.constant 0.0 : f32  %d = arith.subf %l, %m : f32  %e = arith.maximumf %d, %zero : f32  attn.yield %e : f32 }
    outputs o[b, h, i, e], distance[b, h, i], entropy[b, h, i]
    : (!t, !t, !t) -> (!t, tensor<?x?x?xf32>, tensor<?x?x?xf32>)
  attn.return %o, %distance, %entropy : !t, tensor<?x?x?xf32>, tensor<?x?x?xf32>
}
