// Pruned heads: only the heads of a list are computed, one list for all batch rows, and what they give goes through their rows of W_O and is summed (Kurtic et al., ZipLM, 2023).
// attn-run: --size n=64 --size s=4 --size q.1=12 --size k.1=12 --size v.1=12 --size wo.0=12
// attn-bench: --size b=4 --size n=384 --size s=6 --size q.1=12 --size k.1=12 --size v.1=12 --size wo.0=12
!t = tensor<?x?x?x64xf32>
!w = tensor<?x64x64xf32>
!n = tensor<?xi32>
attn.kernel @head_subset(%q: !t, %k: !t, %v: !t, %heads: !n, %wo: !w) -> (y: tensor<?x?x64xf32>) {
  %o = attn.attend dims(b, s | i | j | c = 64, e = 64)
    q = %heads[s] as (%n : i32, b = %b, i = %i, c = %c) { %h = arith.index_cast %n : i32 to index  %y = attn.load %q[%b, %h, %i, %c] : !t  attn.yield %y : f32 }
    k = %heads[s] as (%n : i32, b = %b, j = %j, c = %c) { %h = arith.index_cast %n : i32 to index  %y = attn.load %k[%b, %h, %j, %c] : !t  attn.yield %y : f32 }
    v = %heads[s] as (%n : i32, b = %b, j = %j, e = %c) { %h = arith.index_cast %n : i32 to index  %y = attn.load %v[%b, %h, %j, %c] : !t  attn.yield %y : f32 }
    outputs o[b, s, i, e] : (!n, !n, !n) -> !t
  %y = attn.map dims(b, i, d, s, e) sum(s, e) (%x = %o[b, s, i, e], %n : i32 = %heads[s], d = %d, e = %e) {
    %h = arith.index_cast %n : i32 to index  %w = attn.load %wo[%h, %e, %d] : !w  %z = arith.mulf %x, %w : f32  attn.yield %z : f32 } -> [b, i, d] : (!t, !n) -> tensor<?x?x64xf32>
  attn.return %y : tensor<?x?x64xf32>
}
