// Which heads are rows of the same CTAs, by the schedule: those that share keys and values, where no key that a row sees depends on the head. Then keys are split into more chunks.
// RUN: %attn-opt %s --attn-pipeline-schedule=target=sm_80 | FileCheck %s
// RUN: %attn-opt %s --attn-pipeline-nv -o /dev/null
!t = tensor<?x?x?x64xbf16>
!kv = tensor<?x?x64xbf16>
// CHECK-LABEL: @grouped(
// CHECK: attn.schedule = [{{{[^}]*}}chunks = 16 : i64, {{[^}]*}}name = "split", {{[^}]*}}together}, {{{[^}]*}}name = "stage", {{[^}]*}}together}]
attn.kernel @grouped(%q: !t, %k: !t, %v: !t, %n: tensor<?xi32>) -> (o: !t) {
  %o = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h floordiv 4, j, c] v = %v[b, h floordiv 4, j, e]
    set = lengths<k = %n> and causal<bottom_right>
    outputs o[b, h, i, e] : (!t, !t, !t) -> !t
  attn.return %o : !t
}

// A predicate of one's own that does not know the head, a bit mask and a list of the batch element, neighbours on a grid.
// CHECK-LABEL: @sets(
// CHECK: name = "stage", {{[^}]*}}together}]
attn.kernel @sets(%q: !t, %k: !kv, %v: !kv, %m: tensor<?x?x?xi32>, %t: tensor<?x?xi32>) -> (o: !t) {
  %o = attn.attend dims(b, h | i[?, 8] | j[?, 8] | c, e)
    q = %q[b, h, i, c] k = %k[b, j, c] v = %v[b, j, e]
    set = where(b = %b, i = %i, j = %j) { %x = arith.cmpi sle, %j, %i : index  attn.yield %x : i1 } and bits<%m[b, i]> and tokens<%t[b]> and neighborhood<size = [3, 3]>
    outputs o[b, h, i, e] : (!t, !kv, !kv) -> !t
  attn.return %o : !t
}

// Keys of a page of the group, found in a region that divides the head.
// CHECK-LABEL: @region(
// CHECK: name = "stage", {{[^}]*}}together}]
attn.kernel @region(%q: !t, %k: !t, %v: !t, %scale: tensor<?x?xf32>) -> (o: !t) {
  %o = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c]
    k = %k[b, h floordiv 2, j, c] as (%x : f32, b = %b, h = %h) {
      %two = arith.constant 2 : index  %g = arith.divui %h, %two : index
      %s = attn.load %scale[%b, %g] : tensor<?x?xf32>  %y = arith.mulf %x, %s : f32  attn.yield %y : f32 }
    v = %v[b, h floordiv 2, j, e]
    outputs o[b, h, i, e] : (!t, !t, !t) -> !t
  attn.return %o : !t
}

// None share; the set is the head's; the keys are; the weights are stored.
// CHECK-LABEL: @apart(
// CHECK-NOT: together
attn.kernel @apart(%q: !t, %k: !t, %v: !t, %m: tensor<?x?x?xi8>, %f: tensor<?xf32>) -> (a: !t, c: !t, d: !t, x: !t, p: tensor<?x?x?x?xf32>) {
  %a = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e] outputs o[b, h, i, e] : (!t, !t, !t) -> !t
  %c = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h floordiv 4, j, c] v = %v[b, h floordiv 4, j, e] set = mask<%m[h, i, j]> outputs o[b, h, i, e] : (!t, !t, !t) -> !t
  %d = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h floordiv 4, j, c] v = %v[b, h floordiv 4, j, e]
    set = where(h = %h, i = %i, j = %j) { %s = arith.addi %j, %h : index  %x = arith.cmpi sle, %s, %i : index  attn.yield %x : i1 }
    outputs o[b, h, i, e] : (!t, !t, !t) -> !t
  %x = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h floordiv 4, j, c] as (%x : f32, h = %h) { %s = attn.load %f[%h] : tensor<?xf32>  %y = arith.mulf %x, %s : f32  attn.yield %y : f32 }
    v = %v[b, h floordiv 4, j, e] outputs o[b, h, i, e] : (!t, !t, !t) -> !t
  %p = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h floordiv 4, j, c] v = %v[b, h floordiv 4, j, e] outputs p[b, h, i, j] : (!t, !t, !t) -> tensor<?x?x?x?xf32>
  attn.return %a, %c, %d, %x, %p : !t, !t, !t, !t, tensor<?x?x?x?xf32>
}
