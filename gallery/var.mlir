// Visual attention redistribution: where sinks hold little of a row's image mass, part of the sinks' weight goes to the image's other keys (Kang et al., 2025).
// attn-run: --size n=128
!t = tensor<?x?x?x64xf32>
attn.normalizer @redistribute(%p, %rho, %least) {                      // classes: 0 sink in the text, 1 sink in the image, 2 image, 3 the rest
  attn.pass ref = max
    gauge(%r0, %r1) { %d = arith.subf %r0, %r1 : f32  %g = math.exp %d : f32  attn.yield %g : f32 }
    phi(%s, %r) { %d = arith.subf %s, %r : f32  %w = math.exp %d : f32  attn.yield %w : f32 }
    sums(l = one, l0 = one in 0, l1 = one in 1, l2 = one in 2, c1 = count in 1, c2 = count in 2,
         n0 = value in 0, n1 = value in 1, n2 = value in 2, n3 = value in 3)
  attn.finish(%r, %l, %l0, %l1, %l2, %c1, %c2, %n0, %n1, %n2, %n3) {
    %eps = arith.constant 1.0e-6 : f32  %c = arith.addf %c1, %c2 : f32  %ce = arith.mulf %c, %eps : f32
    %img = arith.addf %l1, %l2 : f32  %ie = arith.mulf %ce, %l : f32  %v = arith.addf %img, %ie : f32
    %share = arith.mulf %rho, %v : f32  %few = arith.cmpf ole, %l1, %share : f32                       // sinks hold at most rho of the image mass
    %low = arith.mulf %least, %l : f32  %much = arith.cmpf oge, %img, %low : f32                       // the image holds at least `least` of all
    %both = arith.andi %few, %much : i1
    %one = arith.constant 1.0 : f32  %q = arith.subf %one, %p : f32
    %ls = arith.addf %l0, %l1 : f32  %mass = arith.mulf %q, %ls : f32  %gain = arith.divf %mass, %l2 : f32
    %ns = arith.addf %n0, %n1 : f32  %taken = arith.mulf %q, %ns : f32  %given = arith.mulf %gain, %n2 : f32
    %a = arith.addf %ns, %n2 : f32  %n = arith.addf %a, %n3 : f32
    %x = arith.subf %n, %taken : f32  %y = arith.addf %x, %given : f32
    %num = arith.select %both, %y, %n : f32  %o = arith.divf %num, %l : f32
    %g = math.log %l : f32  %lse = arith.addf %r, %g : f32
    attn.yield %o, %lse : f32, f32
  } outputs(o, lse) empty(0.0, neg_inf)
}
attn.kernel @var(%q: !t, %k: !t, %v: !t, %label: tensor<?x?xi32>, %p: tensor<?x?xf32>) -> (o: !t, lse: tensor<?x?x?xf32>) {
  %o, %lse = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = causal<bottom_right>
    class(b = %b, j = %j) { %c = attn.load %label[%b, %j] : tensor<?x?xi32>  attn.yield %c : i32 }
    normalize = @redistribute(%p[b, i], 0.5, 0.2)
    outputs o[b, h, i, e], lse[b, h, i]
    : (!t, !t, !t) -> (!t, tensor<?x?x?xf32>)
  attn.return %o, %lse : !t, tensor<?x?x?xf32>
}
