// Clipped softmax and a gate per token and head, o sigmoid(gate_bhi) (Bondarenko et al., Quantizable Transformers, 2023).
// attn-run: --size n=512 --param zeta=1 --param gamma=-0.0234375
!t = tensor<?x?x?x64xf32>
attn.kernel @clipped_gated(%q: !t, %k: !t, %v: !t, %gate: tensor<?x?x?xf32>, %zeta: f32, %gamma: f32) -> (o: !t, lse: tensor<?x?x?xf32>) {
  %o, %lse = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = causal<bottom_right> normalize = @clipped(%zeta, %gamma)
    epilogue(o = %o, b = %b, h = %h, i = %i) -> (o) {
      %g = attn.load %gate[%b, %h, %i] : tensor<?x?x?xf32>
      %m = arith.negf %g : f32  %x = math.exp %m : f32  %one = arith.constant 1.0 : f32
      %d = arith.addf %one, %x : f32  %y = arith.divf %o, %d : f32  attn.yield %y : f32
    }
    outputs o[b, h, i, e], lse[b, h, i]
    : (!t, !t, !t) -> (!t, tensor<?x?x?xf32>)
  attn.return %o, %lse : !t, tensor<?x?x?xf32>
}
