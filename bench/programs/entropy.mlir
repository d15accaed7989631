// Full attention with the entropy of every row: what a side sum over the pairs costs, beside gallery/full.mlir.
!t = tensor<?x?x?x64xf32>
!r = tensor<?x?x?xf32>
attn.kernel @entropy(%q: !t, %k: !t, %v: !t) -> (o: !t, lse: !r, entropy: !r) {
  %o, %lse, %entropy = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = full
    reduce mean = weighted(%s) { attn.yield %s : f32 }
    epilogue(lse = %l, mean = %m) -> (entropy) {
      %zero = arith.constant 0.0 : f32  %d = arith.subf %l, %m : f32
      %e = arith.maximumf %d, %zero : f32  attn.yield %e : f32
    }
    outputs o[b, h, i, e], lse[b, h, i], entropy[b, h, i]
    : (!t, !t, !t) -> (!t, !r, !r)
  attn.return %o, %lse, %entropy : !t, !r, !r
}
