// Where tiles are held, inserted by --tile-place from the sizes of a variant for GPUs.
// RUN: %attn-opt %s --attn-link-normalizers --attn-pipeline-schedule=target=sm_80 --attn-to-tile -o %t.before
// RUN: FileCheck %s --check-prefix=BEFORE < %t.before
// RUN: %attn-opt %t.before --tile-place | FileCheck %s
// The stage for a GPU has it; a second run changes nothing.
// RUN: %attn-opt %s --attn-pipeline-tile=target=sm_80 -o %t.stage
// RUN: FileCheck %s < %t.stage
// RUN: %attn-opt %t.stage --tile-place -o %t.twice
// RUN: cmp %t.stage %t.twice
// BEFORE-NOT: tile.place

!t = tensor<?x?x64xbf16>
// Copies of one type: two stages, queries that stay in registers, weights rounded once.
// CHECK-LABEL: tile.program @narrow
// CHECK: tile.phase "main"
// CHECK: %[[Q:.*]] = tile.load
// CHECK: %[[QS:.*]] = tile.place %[[Q]] {{.*}} in #tile.shared<bf16, rows = 64, features = 64, row_bytes = 144, planes = 1, stages = 1, stage_bytes = 0, at = 0>
// CHECK: %[[QF:.*]] = tile.place %[[QS]] {{.*}} in #tile.fragment<left, bf16, columns = 64, planes = 1>
// CHECK: %[[N:.*]] = tile.place %{{.*}} {{.*}} in #tile.fragment<accumulator, f32, columns = 64, planes = 1>
// CHECK: tile.for carry(%{{.*}}, %{{.*}}, %[[N]] :
// CHECK: %[[K:.*]] = tile.place %{{.*}} {{.*}} in #tile.shared<bf16, rows = 64, features = 64, row_bytes = 144, planes = 1, stages = 2, stage_bytes = 18432, at = 9216>
// CHECK: %[[P:weights]], {{.*}} = tile.weigh dot(%[[QF]], %[[K]])
// CHECK: %[[V:.*]] = tile.place %{{.*}} {{.*}} in #tile.shared<bf16, rows = 64, features = 64, row_bytes = 144, planes = 1, stages = 2, stage_bytes = 18432, at = 18432>
// CHECK: %[[PF:.*]] = tile.place %[[P]] {{.*}} in #tile.fragment<left, bf16, columns = 64, planes = 1>
// CHECK: tile.accumulate %[[PF]], %[[V]] into
attn.kernel @narrow(%q: !t, %k: !t, %v: !t) -> (o: !t) {
  %o = attn.attend dims(b | i | j | c, e) q = %q[b, i, c] k = %k[b, j, c] v = %v[b, j, e] normalize = @softmax outputs o[b, i, e] : (!t, !t, !t) -> !t
  attn.return %o : !t
}

// A mask is loaded, pair by pair: queries stay in shared memory.
// CHECK-LABEL: tile.program @mask
// CHECK-NOT: <left, bf16, columns = 64
// CHECK: tile.weigh
// CHECK: <left, bf16, columns = 64, planes = 1>
attn.kernel @mask(%q: !t, %k: !t, %v: !t, %m: tensor<?x?x?xi8>) -> (o: !t) {
  %o = attn.attend dims(b | i | j | c, e) q = %q[b, i, c] k = %k[b, j, c] v = %v[b, j, e] set = mask<%m[b, i, j]> normalize = @softmax outputs o[b, i, e] : (!t, !t, !t) -> !t
  attn.return %o : !t
}

!f = tensor<?x?x40xf32>
!w = tensor<?x?x192xf32>
// Three planes; features that are padded; a slice of the values.
// CHECK-LABEL: tile.program @planes
// CHECK: tile.place %{{.*}} {{.*}} in #tile.shared<bf16, rows = 64, features = 40, row_bytes = 112, planes = 3, stages = 1, stage_bytes = 0, at = 0>
// CHECK: tile.place %{{.*}} : !tile.tile<[64, 192] x f32> in #tile.fragment<accumulator, f32, columns = 96, planes = 1>
// CHECK: tile.place %{{.*}} {{.*}} in #tile.shared<bf16, rows = 16, features = 40, row_bytes = 112, planes = 3, stages = 1, stage_bytes = {{.*}}, at = 21504>
// CHECK: tile.place %{{.*}} {{.*}} in #tile.shared<bf16, rows = 16, features = 96, row_bytes = 208, planes = 3, stages = 1, stage_bytes = {{.*}}, at = 26880>
// CHECK: <left, bf16, columns = 16, planes = 3>
attn.kernel @planes(%q: !f, %k: !f, %v: !w) -> (o: !w) {
  %o = attn.attend dims(b | i | j | c, e) q = %q[b, i, c] k = %k[b, j, c] v = %v[b, j, e] normalize = @softmax outputs o[b, i, e] : (!f, !f, !w) -> !w
  attn.return %o : !w
}

// Element by element there are no operands in fragments.
// CHECK-LABEL: tile.program @elements
// CHECK: tile.place %{{.*}} {{.*}} in #tile.shared<bf16, rows
// CHECK: <accumulator, f32, columns = 64, planes = 1>
// CHECK-NOT: <left
// CHECK: tile.accumulate
attn.kernel @elements(%q: !t, %k: !t, %v: !t) -> (o: !t) {
  %o = attn.attend dims(b | i | j | c, e) q = %q[b, i, c] k = %k[b, j, c] v = %v[b, j, e]
    dot(%x, %y) { %d = arith.subf %x, %y : f32  %a = math.absf %d : f32  attn.yield %a : f32 }
    normalize = @softmax outputs o[b, i, e] : (!t, !t, !t) -> !t
  attn.return %o : !t
}

// CPUs have panels in memory and vectors, and no places.
// RUN: %attn-opt %s --attn-pipeline-tile -o %t.cpu
// RUN: %attn-opt %t.cpu --tile-place | cmp - %t.cpu
// RUN: not grep tile.place %t.cpu
