// One use of every op and clause that version 2 added; version-2.mlirbc is this module as bytecode of that version.
!t = tensor<?x?x?x64xf32>
attn.kernel @token_sets(%q: !t, %k: !t, %v: !t, %l: tensor<?xi32> {attn.range = array<i64: 0, 100>}, %seg: tensor<?x?xi32> {attn.sorted}, %n: index, %x: f32)
    -> (o: !t) {
  %o = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    scale = %x
    set = (dilated<top_left, step = 4> or dilated<bottom_right, step = 3, q = %l, k = %l>) and not_self<top_left> and not_self<bottom_right, q = %l, k = %l>
          and (block_causal<top_left, block = 128> or block_causal<bottom_right, block = 8, q = %l, k = %l>) and (global<%n> or global<4> or sinks<%l> or sinks<4>)
          and shared_prefix<%seg> and shared_prefix<q = %seg, k = %l, shared = %n, all = 7>
    normalize = @softmax
    dropout(seed = %n, probability = %x)
    outputs o[b, h, i, e]
    : (!t, !t, !t) -> !t
  attn.return %o : !t
}
attn.kernel @grids(%q: !t, %k: !t, %v: !t, %n: index) -> (o: !t) {
  %o = attn.attend dims(b, h | i[?, 64] | j[32, 64] | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    first = 512
    set = neighborhood<size = [7, 5], dilation = [2, 1], stride = [1, 5], causal = [0, 1]> or halo<block = [8, 8], halo = [3, 0]>
          or halo<block = [8, 8], halo = [3, 3], padded> or disc<radius = 8> or disc<radius = %n>
    dropout(seed = 7, probability = 0.1)
    outputs o[b, h, i, e]
    : (!t, !t, !t) -> !t
  attn.return %o : !t
}
attn.kernel @lists(%q: !t, %k: !t, %v: !t, %one: tensor<?xi64>, %two: tensor<?x?xi32>, %three: tensor<?x?x?xi32>, %p: tensor<?xf32>, %f: f32, %s: i64, %t: i32)
    -> (o: !t) {
  %o = attn.attend dims(b, h | i[?] | j[?] | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    first = %t
    set = tokens<%one> and tokens<%two[b], sorted, unique> and blocks<%three[b, i floordiv 64], block = 64> and pages<%two[b], block = 16>
          and diagonals<top_left, %two[h], symmetric> and diagonals<bottom_right, %one, sorted, unique, q = %one, k = %one> and csr<%two[b], %two[b]> and bits<%three[b, i]>
          and random_blocks<seed = %s, probability = %f, block = [64, 64]> and random_blocks<seed = 1, probability = 0.5, block = [1, 2]>
          and random_blocks<seed = %t, probability = %p, block = [64, 64]>
          and where(b = %b, i = %i, j = %j) {
      %m = attn.member %j in %two[%b] : tensor<?x?xi32>
      %n = attn.member %i in %one[] from %b to %j {sorted} : tensor<?xi64>
      %u = attn.random %s[%b, %i, %j] : i64 -> f32
      %w = arith.cmpf olt, %u, %f : f32
      %mn = arith.ori %m, %n : i1
      %r = arith.andi %mn, %w : i1
      attn.yield %r : i1
    }
    outputs o[b, h, i, e]
    : (!t, !t, !t) -> !t
  attn.return %o : !t
}
