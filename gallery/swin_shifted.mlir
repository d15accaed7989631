// Windows of 7 x 7 pixels shifted by 3: each pixel's window and its place there are given, what a roll would wrap around is a window of its own; table[index[place_i, place_j], h] (Liu et al., Swin, 2021).
// attn-run: --size n=784 --size table.0=169
// attn-bench: --size b=32 --size n=784 --size table.0=169
!t = tensor<?x?x?x64xf32>
!i = tensor<?xi32>
attn.kernel @swin_shifted(%q: !t, %k: !t, %v: !t, %window: !i, %place: !i {attn.range = array<i64: 0, 49>}, %index: tensor<49x49xi32> {attn.range = array<i64: 0, 169>}, %table: tensor<?x?xf32>) -> (o: !t, lse: tensor<?x?x?xf32>) {
  %o, %lse = attn.attend dims(b, h | i | j | c, e) q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = same_segment<%window> score(%s, h = %h, i = %i, j = %j) {
      %a = attn.load %place[%i] : !i  %x = arith.index_cast %a : i32 to index  %d = attn.load %place[%j] : !i  %y = arith.index_cast %d : i32 to index
      %g = attn.load %index[%x, %y] : tensor<49x49xi32>  %n = arith.index_cast %g : i32 to index
      %f = attn.load %table[%n, %h] : tensor<?x?xf32>  %t = arith.addf %s, %f : f32  attn.yield %t : f32
    } outputs o[b, h, i, e], lse[b, h, i] : (!t, !t, !t) -> (!t, tensor<?x?x?xf32>)
  attn.return %o, %lse : !t, tensor<?x?x?xf32>
}
