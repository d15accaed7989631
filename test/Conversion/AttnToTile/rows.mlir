// RUN: %attn-opt %s --attn-pipeline-tile | FileCheck %s
// RUN: %attn-opt %s --attn-pipeline-tile | %attn-opt --verify-roundtrip | FileCheck %s

// Queries that go by lists of their own: no pack phase; the list is the order of the keys, and no condition any more.

!t = tensor<?x?x?x64xf32>
!v = tensor<?x?x?x32xf32>

// CHECK: #[[ROW:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d2)>
// CHECK-LABEL: tile.program @tokens
// CHECK: tile.variant "rows" attributes {{.*}}tile_rows = 1
// CHECK-NEXT: tile.phase "main" by 64 {
// CHECK-NEXT:   %[[LISTS:.*]] = tile.lists %[[IDS:.*]] by #[[ROW]] block 4 : tensor<?x?x?xi32>
// CHECK-NEXT:   %[[K:.*]] = tile.rows %{{.*}} by #{{.*}} : tensor<?x?x?x64xf32> -> <64, f32>
// CHECK-NEXT:   %[[V:.*]] = tile.rows %{{.*}} by #{{.*}} : tensor<?x?x?x32xf32> -> <32, f32>
// CHECK:        tile.for carry({{.*}}) order %[[LISTS]] : !tile.lists solve {
// CHECK-NEXT:     attn.set.list "blocks" %[[IDS]] {{.*}}gathered
// CHECK-NEXT:     attn.set.causal
// CHECK:          tile.weigh dot(%{{.*}}, %[[K]])
// CHECK:          tile.accumulate %{{.*}}, %[[V]] into
// CHECK: tile.variant "stream"
// CHECK-NEXT: tile.phase "pack"
// CHECK: attn.set.list
// CHECK-NOT: gathered
attn.kernel @tokens(%q: !t, %k: !t, %v: !v, %ids: tensor<?x?x?xi32>) -> (o: !v) {
  %o = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = blocks<%ids[b, i], block = 4> and causal<top_left>
    outputs o[b, h, i, e] : (!t, !t, !v) -> !v
  attn.return %o : !v
}

// CHECK-LABEL: tile.program @csr
// CHECK: tile.lists %[[COLUMNS:.*]] offsets %[[OFFSETS:.*]] : tensor<?x?xi32> by #{{.*}} block 1 : tensor<?x?xi32>
// CHECK: attn.set.csr %[[OFFSETS]], %[[COLUMNS]] {{.*}}gathered
// Each variant has conditions and a score of its own.
// CHECK: ^bb0(%{{.*}}: index, %[[J:.*]]: index):
// CHECK: attn.load %{{.*}}[%[[J]]]
// CHECK: tile.variant "stream"
// CHECK: ^bb0(%{{.*}}: index, %[[J:.*]]: index):
// CHECK: attn.load %{{.*}}[%[[J]]]
attn.kernel @csr(%q: !t, %k: !t, %v: !v, %offsets: tensor<?x?xi32>, %columns: tensor<?x?xi32>, %x: tensor<?xi32>) -> (o: !v) {
  %o = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = csr<%offsets[b], %columns[b]> and where(i = %i, j = %j) {
      %y = attn.load %x[%j] : tensor<?xi32>
      %zero = arith.constant 0 : i32
      %p = arith.cmpi ne, %y, %zero : i32
      attn.yield %p : i1
    }
    outputs o[b, h, i, e] : (!t, !t, !v) -> !v
  attn.return %o : !v
}
