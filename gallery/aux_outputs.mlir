// Causal attention with all that a row can tell: lse, largest and smallest score, the index of the largest, entropy, in one pass.
!t = tensor<?x?x?x64xf32>
!r = tensor<?x?x?xf32>
attn.kernel @aux_outputs(%q: !t, %k: !t, %v: !t) -> (o: !t, lse: !r, top: !r, low: !r, id: tensor<?x?x?xi64>, entropy: !r) {
  %o, %lse, %top, %low, %id, %entropy = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = causal<bottom_right>
    reduce top = max reduce low = min reduce id = argmax
    reduce mean = weighted(%s) { attn.yield %s : f32 }
    epilogue(lse = %l, mean = %m) -> (entropy) {
      %zero = arith.constant 0.0 : f32  %d = arith.subf %l, %m : f32
      %e = arith.maximumf %d, %zero : f32  attn.yield %e : f32
    }
    outputs o[b, h, i, e], lse[b, h, i], top[b, h, i], low[b, h, i], id[b, h, i], entropy[b, h, i]
    : (!t, !t, !t) -> (!t, !r, !r, !r, tensor<?x?x?xi64>, !r)
  attn.return %o, %lse, %top, %low, %id, %entropy : !t, !r, !r, !r, tensor<?x?x?xi64>, !r
}
