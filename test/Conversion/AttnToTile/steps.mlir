// RUN: %attn-opt %s --attn-pipeline-tile | FileCheck %s

// A kernel that is one map is a program of one phase. Axis facts: x by (h floordiv 4, i) and e, the table's last axis by e, its first as it is read; then the result.

// CHECK: #[[X:.*]] = affine_map<(d0, d1, d2) -> (d0 floordiv 4, d1, d2)>
// CHECK: #[[Y:.*]] = affine_map<(d0, d1, d2) -> (d1, d2)>
// CHECK: tile.program @map
// CHECK-SAME: arg_facts = [array<i64: -1, 0, -1, 4, 0, -1, 0, 1, -1, 1, 0, -1, 0, 2, -1, 1, 0, -1, 0>, array<i64: -1, -1, -1, 1, 0, -1, 1, 2, -1, 1, 0, -1, 0>, array<i64: -1, 0, -1, 1, 0, -1, 0>, array<i64>, array<i64: -1, 1, -1, 1, 0, -1, 0, 2, -1, 1, 0, -1, 0>]
// CHECK-SAME: dim_names = ["h", "i", "e"]
// CHECK-SAME: num_batch = 0
// CHECK-NEXT: ^bb0(%[[A:.*]]: tensor<?x?x?xbf16>, %[[TABLE:.*]]: tensor<?x?xf32>, %[[N:.*]]: tensor<?xi32>, %[[W:.*]]: f32, %[[OUT:.*]]: tensor<?x?xf32>):
// CHECK:   tile.phase "map" by 1
// CHECK:     tile.map "sum"(%[[A]], %[[N]] : tensor<?x?x?xbf16>, tensor<?xi32>) by [#[[X]], #{{.*}}] to %[[OUT]] by #[[Y]] over [0] {
// CHECK:     ^bb0(%{{.*}}: f32, %[[ROW:.*]]: i32, %{{.*}}: index, %{{.*}}: index, %[[E:.*]]: index):
// CHECK:       %[[J:.*]] = arith.index_cast %[[ROW]]
// CHECK:       attn.load %[[TABLE]][%[[J]], %[[E]]]
attn.kernel @map(%xs: tensor<?x?x?xbf16>, %table: tensor<?x?xf32>, %ns: tensor<?xi32>, %w: f32) -> (y: tensor<?x?xf32>) {
  %y = attn.map dims(h, i, e) sum(h) (%x = %xs[h floordiv 4, i, e], %n : i32 = %ns[h], e = %e) {
    %j = arith.index_cast %n : i32 to index
    %t = attn.load %table[%j, %e] : tensor<?x?xf32>
    %a = arith.mulf %t, %w : f32
    %z = arith.mulf %x, %a : f32
    attn.yield %z : f32
  } -> [i, e] : (tensor<?x?x?xbf16>, tensor<?xi32>) -> tensor<?x?xf32>
  attn.return %y : tensor<?x?xf32>
}

// Steps write their results into destinations of the kernel, or temporaries.

// CHECK: tile.program @steps__0
// CHECK-SAME: sym_visibility = "private"
// CHECK: tile.program @steps__1
// CHECK: tile.sequence @steps attributes {arg_names = ["q", "o", "y"], num_outputs = 2 : i64}
// CHECK-NEXT: ^bb0(%[[Q:.*]]: tensor<?x8xf32>, %[[O:.*]]: tensor<?x8xf32>, %[[RESULT:.*]]: tensor<?xf32>):
// CHECK-NEXT:   %[[LSE:.*]] = tile.temporary : tensor<?xf32>
// CHECK-NEXT:   tile.call @steps__0(%[[Q]]) to(%[[O]], %[[LSE]])
// CHECK-NEXT:   tile.call @steps__1(%[[O]]) to(%[[RESULT]])
// CHECK-NOT: attn.kernel
attn.kernel @steps(%q: tensor<?x8xf32>) -> (o: tensor<?x8xf32>, y: tensor<?xf32>) {
  %o, %lse = attn.attend dims(| i | j | c) q = %q[i, c] k = %q[j, c] v = %q[j, c]
    outputs o[i, c], lse[i] : (tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>) -> (tensor<?x8xf32>, tensor<?xf32>)
  %y = attn.map dims(i, c) max(c) (%x = %o[i, c]) {
    attn.yield %x : f32
  } -> [i] : (tensor<?x8xf32>) -> tensor<?xf32>
  attn.return %o, %y : tensor<?x8xf32>, tensor<?xf32>
}
