// Solvable attention: query and key are one projection of low rank of tokens with a position added, values the tokens: softmax(z z^T) x, z = x Q / sqrt d (Cui et al., 2024). Many tiny problems.
// attn-run: --size b=1000 --size l=2 --size c=64 --param root=0.125
// attn-bench: --size b=50000 --size l=2 --size c=64 --param root=0.125
!t = tensor<?x?x64xf32>
!z = tensor<?x?x2xf32>
attn.kernel @solvable(%x: !t, %p: tensor<?x64xf32>, %w: tensor<64x2xf32>, %root: f32) -> (y: !t) {
  %a = attn.map dims(b, l, c) (%u = %x[b, l, c], %v = %p[l, c]) { %y = arith.addf %u, %v : f32  attn.yield %y : f32 } -> [b, l, c] : (!t, tensor<?x64xf32>) -> !t
  %z = attn.map dims(b, l, r, c) sum(c) (%u = %a[b, l, c], %v = %w[c, r]) {
    %m = arith.mulf %u, %v : f32  %y = arith.mulf %m, %root : f32  attn.yield %y : f32 } -> [b, l, r] : (!t, tensor<64x2xf32>) -> !z
  %y = attn.attend dims(b | i | j | c, e) q = %z[b, i, c] k = %z[b, j, c] v = %a[b, j, e] scale = 1.0 outputs o[b, i, e] : (!z, !z, !t) -> !t
  attn.return %y : !t
}
