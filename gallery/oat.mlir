// Object-level pointer of OAT: logits of two heads are mixed, a stop of logit 0 stands beside the objects, p is softmax over all; p_stop = e^-lse and the best object (Fang et al., 2024).
// attn-run: --size i=8 --size j=27
!t = tensor<?x?x128xf32>
!r = tensor<?x?xf32>
attn.kernel @oat(%q: !t, %k: !t, %mix: tensor<2xf32>) -> (p: tensor<?x?x?xf32>, stop: !r, id: tensor<?x?xi64>, top: !r) {
  %m = attn.map dims(b, i, x) (%u = %q[b, i, x], %a = %mix[x floordiv 64]) { %y = arith.mulf %u, %a : f32  attn.yield %y : f32 } -> [b, i, x] : (!t, tensor<2xf32>) -> !t
  %p, %stop, %id, %top = attn.attend dims(b | i | j | c)
    q = %m[b, i, c] k = %k[b, j, c] scale = 0.125 normalize = @softmax1
    reduce id = argmax reduce top = max
    epilogue(lse = %l) -> (stop) { %n = arith.negf %l : f32  %y = math.exp %n : f32  attn.yield %y : f32 }
    outputs p[b, i, j], stop[b, i], id[b, i], top[b, i] : (!t, !t) -> (tensor<?x?x?xf32>, !r, tensor<?x?xi64>, !r)
  attn.return %p, %stop, %id, %top : tensor<?x?x?xf32>, !r, tensor<?x?xi64>, !r
}
