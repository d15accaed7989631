// CLEAR with pooled keys: pixels also see every 4 x 4 patch, its keys and values (already rotated) summed with one learned weight a pixel; %corner is the first token of each patch (Liu et al., 2024).
// attn-run: --size n=1056 --size p=64 --param t=32 --param r=8 --param scale=0.125
!t = tensor<?x?x?x64xf32>
!r = tensor<?x?x?xf32>
!n = tensor<?xi32>
!w = tensor<16xf32>
attn.kernel @clear_pooled(%q: !t, %k: !t, %v: !t, %corner: !n, %pool: !w, %t: index, %r: index, %scale: f32) -> (o: !t, lse: !r) {
  %pk = attn.map dims(b, h, p, c, s) sum(s) (%x = %k[b, h, 0, c], %n : i32 = %corner[p], %w = %pool[s], b = %b, h = %h, c = %c, s = %s) {
    %four = arith.constant 4 : index  %width = arith.constant 32 : index  %y = arith.divui %s, %four : index  %z = arith.remui %s, %four : index  %m = arith.muli %y, %width : index
    %a = arith.index_cast %n : i32 to index  %d = arith.addi %a, %m : index  %j = arith.addi %d, %z : index
    %f = attn.load %k[%b, %h, %j, %c] : !t  %g = arith.mulf %f, %w : f32  attn.yield %g : f32 } -> [b, h, p, c] : (!t, !n, !w) -> !t
  %pv = attn.map dims(b, h, p, c, s) sum(s) (%x = %v[b, h, 0, c], %n : i32 = %corner[p], %w = %pool[s], b = %b, h = %h, c = %c, s = %s) {
    %four = arith.constant 4 : index  %width = arith.constant 32 : index  %y = arith.divui %s, %four : index  %z = arith.remui %s, %four : index  %m = arith.muli %y, %width : index
    %a = arith.index_cast %n : i32 to index  %d = arith.addi %a, %m : index  %j = arith.addi %d, %z : index
    %f = attn.load %v[%b, %h, %j, %c] : !t  %g = arith.mulf %f, %w : f32  attn.yield %g : f32 } -> [b, h, p, c] : (!t, !n, !w) -> !t
  %o1, %lse1 = attn.attend dims(b, h | i[?, 32] | j[?, 32] | c, e) q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    first = %t scale = %scale set = global<%t> or disc<radius = %r> outputs o[b, h, i, e], lse[b, h, i] : (!t, !t, !t) -> (!t, !r)
  %o2, %lse2 = attn.attend dims(b, h | i | j | c, e) q = %q[b, h, i, c] k = %pk[b, h, j, c] v = %pv[b, h, j, e]
    scale = %scale set = where(i = %i) { %p = arith.cmpi sge, %i, %t : index  attn.yield %p : i1 } outputs o[b, h, i, e], lse[b, h, i] : (!t, !t, !t) -> (!t, !r)
  %o, %lse = attn.merge dims(b, h, i, e) @softmax (%o1, %lse1), (%o2, %lse2) -> ([b, h, i, e], [b, h, i]) : (!t, !r, !t, !r) -> (!t, !r)
  attn.return %o, %lse : !t, !r
}
