// Pointer network: u_ij = w . tanh(k_j + q_i) over the projected inputs and states, probabilities of the inputs, loss of a target, the best input; no values (Vinyals et al., Pointer Networks, 2015).
// attn-run: --size n=50 --seed 3
// attn-bench: --size b=16 --size n=500 --seed 3
!t = tensor<?x?x64xf32>
attn.kernel @pointer_tanh(%q: !t, %k: !t, %w: tensor<64xf32>, %length: tensor<?xi32>, %target: tensor<?x?xi32>) -> (p: tensor<?x?x?xf32>, nll: tensor<?x?xf32>, id: tensor<?x?xi64>) {
  %p, %nll, %id = attn.attend dims(b | i | j | c)
    q = %q[b, i, c] k = %k[b, j, c] set = lengths<k = %length>
    dot(%x, %y, c = %c) {
      %a = arith.addf %x, %y : f32  %t = math.tanh %a : f32  %u = attn.load %w[%c] : tensor<64xf32>  %z = arith.mulf %u, %t : f32  attn.yield %z : f32
    }
    reduce hit = sum(%s, b = %b, i = %i, j = %j) {
      %zero = arith.constant 0.0 : f32  %x = attn.load %target[%b, %i] : tensor<?x?xi32>  %n = arith.index_cast %x : i32 to index
      %is = arith.cmpi eq, %n, %j : index  %f = arith.select %is, %s, %zero : f32  attn.yield %f : f32
    } reduce id = argmax
    epilogue(lse = %l, hit = %x) -> (nll) { %y = arith.subf %l, %x : f32  attn.yield %y : f32 }
    outputs p[b, i, j], nll[b, i], id[b, i] : (!t, !t) -> (tensor<?x?x?xf32>, tensor<?x?xf32>, tensor<?x?xi64>)
  attn.return %p, %nll, %id : tensor<?x?x?xf32>, tensor<?x?xf32>, tensor<?x?xi64>
}
