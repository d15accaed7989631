// One use of every op of version 1; version-1.mlirbc is this module as bytecode of that version.
attn.normalizer @own {
  attn.pass ref = max gauge(%r0, %r1) {
    %d = arith.subf %r0, %r1 : f32
    %g = math.exp %d : f32
    attn.yield %g : f32
  } phi(%s, %r) {
    %d = arith.subf %s, %r : f32
    %p = math.exp %d : f32
    attn.yield %p : f32
  } sums(l = one, n = value)
  attn.finish(%r, %l, %n) {
    %o = arith.divf %n, %l : f32
    attn.yield %o, %r : f32, f32
  } outputs(o, lse) empty(0.0, neg_inf)
}
attn.normalizer @none {
  attn.pass ref = none phi(%s) {
    attn.yield %s : f32
  } sums(n = value)
  attn.finish(%n) {
    attn.yield %n : f32
  } outputs(o) empty(inf)
}
attn.kernel @every_set(%q: tensor<?x?x?x64xbf16>, %k: tensor<?x?x?x64xbf16>, %v: tensor<?x?x?x32xbf16>, %ql: tensor<?xi32>, %kl: tensor<?xi64>,
                       %seg: tensor<?x?xi32>, %m: tensor<?x?xi1>, %bias: tensor<?x?xf32>, %w: index, %x: i32, %f: f32)
    -> (o: tensor<?x?x?x32xf32>, lse: tensor<?x?x?xf32>) {
  %o, %lse = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h floordiv 4, j, c] v = %v[b, h floordiv 4, j, e]
    scale = %f
    set = full and (causal<top_left> or causal<bottom_right, q = %ql, k = %kl>) and window<bottom_right, left = %w, right = 3, q = %ql, k = %kl>
          and (prefix<%x> or prefix<%ql> or prefix<7>) and lengths<q = %ql, k = %kl> and same_segment<%seg> and same_segment<q = %seg, k = %ql>
          and mask<%m[b, j]> and not where(i = %i, j = %j) {
      %p = arith.cmpi eq, %i, %j : index
      attn.yield %p : i1
    } minus empty
    score(%s, h = %h, j = %j) {
      %t = attn.load %bias[%h, %j] : tensor<?x?xf32>
      %y = arith.addf %s, %t : f32
      attn.yield %y : f32
    }
    normalize = @own
    outputs o[b, h, i, e], lse[b, h, i]
    : (tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x32xbf16>) -> (tensor<?x?x?x32xf32>, tensor<?x?x?xf32>)
  attn.return %o, %lse : tensor<?x?x?x32xf32>, tensor<?x?x?xf32>
}
attn.kernel @constant_scale(%x: tensor<?x3x8xf64>) -> (o: tensor<?x8xf64>) {
  %o = attn.attend dims(| i | j | c, e)
    q = %x[i, 0, c] k = %x[j, 1, c] v = %x[j, 2, e]
    scale = 0.5
    score(%s : f64) {
      attn.yield %s : f64
    }
    normalize = @none
    outputs o[i, e]
    : (tensor<?x3x8xf64>, tensor<?x3x8xf64>, tensor<?x3x8xf64>) -> tensor<?x8xf64>
  attn.return %o : tensor<?x8xf64>
}
