// Tensor brain: one query over concepts that are key and value at once, softmax(a_e . h + b_e), and a concept drawn from it by the Gumbel trick (Tresp et al., 2020).
// attn-run: --size i=1 --size j=4096 --param seed=7
!h = tensor<?x?x64xf32>
!a = tensor<?x64xf32>
attn.kernel @tensor_brain(%h: !h, %a: !a, %bias: tensor<?xf32>, %seed: i64) -> (o: !h, lse: tensor<?x?xf32>, id: tensor<?x?xi64>) {
  %o, %lse, %id = attn.attend dims(b | i | j | c, e)
    q = %h[b, i, c] k = %a[j, c] v = %a[j, e]
    scale = 1.0 score(%s, j = %j) { %x = attn.load %bias[%j] : tensor<?xf32>  %t = arith.addf %s, %x : f32  attn.yield %t : f32 }
    reduce id = argmax(%s, b = %b, i = %i, j = %j) {
      %u = attn.random %seed[%b, %i, %j] : i64 -> f32  %l = math.log %u : f32  %m = arith.negf %l : f32
      %n = math.log %m : f32  %f = arith.subf %s, %n : f32  attn.yield %f : f32
    }
    outputs o[b, i, e], lse[b, i], id[b, i] : (!h, !a, !a) -> (!h, tensor<?x?xf32>, tensor<?x?xi64>)
  attn.return %o, %lse, %id : !h, tensor<?x?xf32>, tensor<?x?xi64>
}
