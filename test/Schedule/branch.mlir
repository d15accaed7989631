// RUN: %attn-opt %s --attn-pipeline-schedule | FileCheck %s
// RUN: %attn-opt %s --attn-pipeline-tile | FileCheck %s --check-prefix=TILE

// Two scores over one set of values: keys of both in one panel, and few queries' rows of both in one block.

!q = tensor<?x?x2x?x64xf32>
!t = tensor<?x?x?x64xf32>
// CHECK-LABEL: attn.kernel @scores(
// CHECK: attn.branch = array<i64: 2, 2>
// CHECK-SAME: name = "split_group"
// CHECK-SAME: name = "stream"
// TILE-DAG: #[[K0:map[0-9]*]] = affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d0, d1, 0, d4, d5)>
// TILE-DAG: #[[K1:map[0-9]*]] = affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d0, d1, 1, d4, d5)>
// TILE: tile.program @scores
// TILE-SAME: attn.branch = array<i64: 2, 2>
// TILE-SAME: share = array<i64: 1, 1, 0>
// TILE: tile.pack %{{.*}}, %{{.*}} by [#[[K0]], #[[K1]]] extents [64, 64] : {{.*}} -> <128, 16, 256, true, f32>
// TILE: tile.pack %{{.*}} by [#{{.*}}] : tensor<?x?x?x64xf32> -> <64, 16, 256, false, f32>
attn.kernel @scores(%q: !q, %k: !q, %v: !t) -> (o: !q) {
  %o = attn.attend dims(b, h, t | i | j | c, e)
    q = %q[b, h, t, i, c] k = %k[b, h, t, j, c] v = %v[b, h, j, e]
    outputs o[b, h, t, i, e] : (!q, !q, !t) -> !q
  attn.return %o : !q
}

// How many there are is not said, there are many, a region reads the keys, or values are of one score alone.
// CHECK-LABEL: attn.kernel @apart(
// CHECK-NOT: attn.branch
attn.kernel @apart(%q: !q, %k: !q, %v: !t, %w: tensor<?x?x?x?x64xf32>, %m: tensor<?x?x8x?x64xf32>) -> (a: !q, b: !q, c: tensor<?x?x8x?x64xf32>, d: !q) {
  %a = attn.attend dims(b, h, t | i | j | c, e)
    q = %q[b, h, t, i, c] k = %w[b, h, t, j, c] v = %v[b, h, j, e]
    outputs o[b, h, t, i, e] : (!q, tensor<?x?x?x?x64xf32>, !t) -> !q
  %b = attn.attend dims(b, h, t | i | j | c, e)
    q = %q[b, h, t, i, c] k = %k[b, h, t, j, c] as (%x) { %y = math.absf %x : f32 attn.yield %y : f32 } v = %v[b, h, j, e]
    outputs o[b, h, t, i, e] : (!q, !q, !t) -> !q
  %c = attn.attend dims(b, h, t | i | j | c, e)
    q = %m[b, h, t, i, c] k = %m[b, h, t, j, c] v = %v[b, h, j, e]
    outputs o[b, h, t, i, e] : (tensor<?x?x8x?x64xf32>, tensor<?x?x8x?x64xf32>, !t) -> tensor<?x?x8x?x64xf32>
  %d = attn.attend dims(b, h, t | i | j | c, e)
    q = %q[b, h, t, i, c] k = %k[b, h, t, j, c] v = %k[b, h, t, j, e]
    outputs o[b, h, t, i, e] : (!q, !q, !q) -> !q
  attn.return %a, %b, %c, %d : !q, !q, tensor<?x?x8x?x64xf32>, !q
}
