// Probabilistic attention, three steps of key adaptation (EM) in a loop: each moves the keys to the mean of their queries and where they began (Gabbur et al., 2021).
// attn-run: --size n=128 --param alpha=0.125
!t = tensor<?x?x?x64xf32>
!r = tensor<?x?x?xf32>
!w = tensor<?x?x?x64xf32>
attn.kernel @probabilistic_em_loop(%q: !t, %k: !t, %tau: !r, %alpha: f32) -> (key: !t) {
  %key = attn.repeat 3 (%at = %k) {
    %kk = attn.map dims(b, h, j, c) sum(c) (%x = %at[b, h, j, c]) { %y = arith.mulf %x, %x : f32  attn.yield %y : f32 } -> [b, h, j] : (!t) -> !r
    %mass, %moved = attn.attend dims(b, h | i | j | c)
      q = %q[b, h, i, c] k = %at[b, h, j, c] scale = %alpha score(%s, b = %b, h = %h, j = %j) {
        %y = attn.load %kk[%b, %h, %j] : !r  %half = arith.constant 0.5 : f32  %m = arith.mulf %half, %y : f32
        %a = arith.mulf %alpha, %m : f32  %t = arith.subf %s, %a : f32  attn.yield %t : f32
      }
      columns mass = sum(%w, %s) { attn.yield %w : f32 } aggregate moved = %q[b, h, i, c]
      outputs mass[b, h, j], moved[b, h, j, c] : (!t, !t) -> (!r, !w)
    %next = attn.map dims(b, h, j, e) (%x = %k[b, h, j, e], %u = %moved[b, h, j, e], %m = %mass[b, h, j], %p = %tau[b, h, j]) {
      %a = arith.mulf %p, %x : f32  %c = arith.mulf %alpha, %u : f32  %n = arith.addf %a, %c : f32
      %f = arith.mulf %alpha, %m : f32  %d = arith.addf %p, %f : f32  %z = arith.divf %n, %d : f32  attn.yield %z : f32
    } -> [b, h, j, e] : (!t, !w, !r, !r) -> !t
    attn.yield %next : !t
  }
  attn.return %key : !t
}
