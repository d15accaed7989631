// A bias for every pair, s + bias[b, h, i, j], and a causal mask (the pair bias of AlphaFold, Jumper et al., 2021; attn_mask of PyTorch).
// attn-bench: --size h=2 --size n=2048
!t = tensor<?x?x?x64xf32>
!p = tensor<?x?x?x?xf32>
attn.kernel @dense_bias(%q: !t, %k: !t, %v: !t, %bias: !p) -> (o: !t, lse: tensor<?x?x?xf32>) {
  %o, %lse = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = causal<bottom_right> score(%s, b = %b, h = %h, i = %i, j = %j) {
      %x = attn.load %bias[%b, %h, %i, %j] : !p
      %t = arith.addf %s, %x : f32
      attn.yield %t : f32
    } outputs o[b, h, i, e], lse[b, h, i] : (!t, !t, !t) -> (!t, tensor<?x?x?xf32>)
  attn.return %o, %lse : !t, tensor<?x?x?xf32>
}
