// The teacher of solvable attention: (1 - mix) softmax(z z^T) x + mix A x, attention with tied queries and keys beside a fixed matrix over the positions (Cui et al., 2024).
// attn-run: --size b=1000 --size l=2 --size c=64 --param root=0.125 --param mix=0.3
// attn-bench: --size b=50000 --size l=2 --size c=64 --param root=0.125 --param mix=0.3
!t = tensor<?x?x64xf32>
!z = tensor<?x?x1xf32>
attn.kernel @solvable_teacher(%x: !t, %w: tensor<64x1xf32>, %a: tensor<?x?xf32>, %root: f32, %mix: f32) -> (y: !t) {
  %z = attn.map dims(b, l, r, c) sum(c) (%u = %x[b, l, c], %v = %w[c, r]) {
    %m = arith.mulf %u, %v : f32  %y = arith.mulf %m, %root : f32  attn.yield %y : f32 } -> [b, l, r] : (!t, tensor<64x1xf32>) -> !z
  %o = attn.attend dims(b | i | j | c, e) q = %z[b, i, c] k = %z[b, j, c] v = %x[b, j, e] scale = 1.0 outputs o[b, i, e] : (!z, !z, !t) -> !t
  %f = attn.map dims(b, i, e, j) sum(j) (%u = %a[i, j], %v = %x[b, j, e]) { %y = arith.mulf %u, %v : f32  attn.yield %y : f32 } -> [b, i, e] : (tensor<?x?xf32>, !t) -> !t
  %y = attn.map dims(b, i, e) (%u = %o[b, i, e], %v = %f[b, i, e]) {
    %one = arith.constant 1.0 : f32  %r = arith.subf %one, %mix : f32  %s = arith.mulf %r, %u : f32  %t = arith.mulf %mix, %v : f32  %y = arith.addf %s, %t : f32
    attn.yield %y : f32 } -> [b, i, e] : (!t, !t) -> !t
  attn.return %y : !t
}
