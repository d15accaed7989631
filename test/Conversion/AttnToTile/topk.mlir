// RUN: %attn-opt %s --attn-link-normalizers --attn-schedule --attn-to-tile | FileCheck %s
// RUN: %attn-opt %s --attn-link-normalizers --attn-schedule --attn-to-tile | %attn-opt | FileCheck %s

// CHECK: #map{{.*}} = affine_map<(d0, d1, d2, d3)[s0] -> (d0, d1, s0)>

// A topk is carried like a sum, one tile of as many numbers as it finds, merged with split keys, and stored by itself.

!t = tensor<?x?x64xf32>
!n = tensor<?x?x40xi32>
// CHECK-LABEL: tile.program @ids
attn.kernel @ids(%q: !t, %k: !t) -> (ids: !n) {
  // CHECK: tile.variant "split"
  // CHECK: %[[C:.*]] = tile.for carry({{.*}}!tile.tile<[96, 40] x f32>
  // CHECK: tile.weigh
  // CHECK: sum_ops = array<i64: 4>
  // CHECK: tile.save
  // CHECK: %[[M:.*]] = tile.merge {{.*}} ops [4]
  // CHECK: tile.top %{{.*}} to %{{.*}} by #map
  // CHECK: tile.variant "stream"
  // CHECK: tile.top
  %ids = attn.attend dims(b | i | j | c)
    q = %q[b, i, c] k = %k[b, j, c]
    reduce ids[n] = topk 40
    outputs ids[b, i, n]
    : (!t, !t) -> !n
  attn.return %ids : !n
}

// Candidates of a block's rows have 2 MiB.
// CHECK-LABEL: tile.program @many
// CHECK: tile.variant "stream" attributes {block_keys = 256 : i64, block_rows = 60 : i64
attn.kernel @many(%q: !t, %k: !t) -> (ids: tensor<?x?x2048xi32>) {
  %ids = attn.attend dims(b | i | j | c)
    q = %q[b, i, c] k = %k[b, j, c]
    reduce ids[n] = topk 2048
    outputs ids[b, i, n]
    : (!t, !t) -> tensor<?x?x2048xi32>
  attn.return %ids : tensor<?x?x2048xi32>
}
