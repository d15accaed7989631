// RUN: %attn-opt %s --attn-pipeline-tile | FileCheck %s
// RUN: %attn-opt %s --attn-pipeline-tile | %attn-opt --verify-roundtrip | FileCheck %s

// A variant is a pack phase by key blocks and a main phase by query blocks; the program's arguments are the kernel's, then its results.

// CHECK-LABEL: tile.program @full attributes
// CHECK-SAME: arg_names = ["q", "k", "v", "o", "lse"], dim_names = ["b", "h", "i", "j", "c", "e"], features = array<i64: 64, 32>
// CHECK-SAME: num_batch = 2 : i64, num_outputs = 2 : i64, share = array<i64: 1, 1>
// CHECK-NEXT: ^bb0(%[[Q:.*]]: tensor<?x?x?x64xf32>, %[[K:.*]]: tensor<?x?x?x64xf32>, %[[V:.*]]: tensor<?x?x?x32xf32>, %[[O:.*]]: tensor<?x?x?x32xf32>, %[[LSE:.*]]: tensor<?x?x?xf32>):
// CHECK: tile.variant "stream"
// CHECK-NEXT: %[[PACKED:.*]]:2 = tile.phase "pack" by 256 {
// CHECK-NEXT:   %[[PK:.*]] = tile.pack %[[K]] by [#{{.*}}] {{.*}}-> <64, 16, 256, true, f32>
// CHECK-NEXT:   %[[PV:.*]] = tile.pack %[[V]] by [#{{.*}}] {{.*}}-> <32, 16, 256, false, f32>
// CHECK-NEXT:   tile.yield %[[PK]], %[[PV]]
// CHECK: tile.phase "main" by 96 descending {
// CHECK-NEXT:   %[[QT:.*]] = tile.load %[[Q]] by [#{{.*}}] : tensor<?x?x?x64xf32> -> <[96, 64] x f32>
// CHECK:        %[[REF:.*]] = tile.fill 0xFFF0000000000000 : <[96] x f32>
// CHECK:        %[[SUM:.*]] = tile.fill 0.000000e+00 : <[96] x f32>
// CHECK:        %[[ACC:.*]] = tile.fill 0.000000e+00 : <[96, 32] x f32>
// CHECK:        %[[DONE:.*]]:3 = tile.for carry(%[[REF]], %[[SUM]], %[[ACC]]
// CHECK-SAME:   solve {
// CHECK-NEXT:     attn.set.full
// CHECK:        } do {
// CHECK-NEXT:   ^bb0(%[[R:.*]]: !tile.tile<[96] x f32>, %[[L:.*]]: !tile.tile<[96] x f32>, %[[A:.*]]: !tile.tile<[96, 32] x f32>):
// CHECK-NEXT:     tile.weigh dot(%[[QT]], %[[PACKED]]#0) ref %[[R]] sums(%[[L]]) rescale(%[[A]]) score {
// CHECK-NEXT:     ^bb0(%[[DOT:.*]]: f32, %{{.*}}: index, %{{.*}}: index, %{{.*}}: index, %{{.*}}: index):
// Scores in units of log2: 1/sqrt(64) log2(e).
// CHECK-NEXT:       %[[SCALE:.*]] = arith.constant 0.180336878 : f32
// CHECK-NEXT:       %[[SCORE:.*]] = arith.mulf %[[DOT]], %[[SCALE]] : f32
// CHECK-NEXT:       tile.yield %[[SCORE]]
// CHECK-NEXT:     } gauge {
// CHECK:            math.exp2
// CHECK:          } phi {
// CHECK:            math.exp2
// CHECK:          tile.accumulate %{{.*}}, %[[PACKED]]#1 into
// CHECK:        tile.finish ref %[[DONE]]#0 sums(%[[DONE]]#1) acc %[[DONE]]#2 to %[[O]], %[[LSE]]
// CHECK-SAME:   empty = [0.000000e+00, 0xFFF0000000000000 : f64]
// CHECK-NOT: attn.kernel
// CHECK-NOT: attn.normalizer
attn.kernel @full(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x32xf32>) -> (o: tensor<?x?x?x32xf32>, lse: tensor<?x?x?xf32>) {
  %r0, %r1 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = full
    outputs o[b, h, i, e], lse[b, h, i]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x32xf32>) -> (tensor<?x?x?x32xf32>, tensor<?x?x?xf32>)
  attn.return %r0, %r1 : tensor<?x?x?x32xf32>, tensor<?x?x?xf32>
}

// Without a set clause there is no set region.
// CHECK-LABEL: tile.program @no_set
// CHECK: solve {
// CHECK-NEXT: } do {
attn.kernel @no_set(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>) -> (o: tensor<?x?x?x64xf32>, lse: tensor<?x?x?xf32>) {
  %r0, %r1 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    outputs o[b, h, i, e], lse[b, h, i]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>, tensor<?x?x?xf32>)
  attn.return %r0, %r1 : tensor<?x?x?x64xf32>, tensor<?x?x?xf32>
}

// Outputs in the text's order; the finish yields what is asked for.
// CHECK-LABEL: tile.program @lse_alone
// CHECK: tile.finish ref %{{.*}} sums(%{{.*}}) to %{{[a-z0-9]+}} attributes {empty = [0xFFF0000000000000 : f64]
// CHECK: tile.yield %{{[0-9a-z]+}} : f32
attn.kernel @lse_alone(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>) -> (lse: tensor<?x?x?xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    outputs lse[b, h, i]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?xf32>)
  attn.return %r0 : tensor<?x?x?xf32>
}

// f64 all the way.
// CHECK-LABEL: tile.program @f64
// CHECK: tile.pack {{.*}} -> <64, 8, 256, true, f64>
// CHECK: arith.constant 0.69314718055994529 : f64
attn.kernel @f64(%q: tensor<?x?x?x64xf64>, %k: tensor<?x?x?x64xf64>, %v: tensor<?x?x?x64xf64>) -> (o: tensor<?x?x?x64xf64>, lse: tensor<?x?x?xf64>) {
  %r0, %r1 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    outputs o[b, h, i, e], lse[b, h, i]
    : (tensor<?x?x?x64xf64>, tensor<?x?x?x64xf64>, tensor<?x?x?x64xf64>) -> (tensor<?x?x?x64xf64>, tensor<?x?x?xf64>)
  attn.return %r0, %r1 : tensor<?x?x?x64xf64>, tensor<?x?x?xf64>
}

// 16-bit operands become f32 panels.
// CHECK-LABEL: tile.program @bf16
// CHECK: tile.pack %{{.*}} : tensor<?x?x?x64xbf16> -> <64, 16, 256, true, f32>
// CHECK: tile.load %{{.*}} : tensor<?x?x?x64xbf16> -> <[96, 64] x f32>
attn.kernel @bf16(%q: tensor<?x?x?x64xbf16>, %k: tensor<?x?x?x64xbf16>, %v: tensor<?x?x?x64xbf16>) -> (o: tensor<?x?x?x64xbf16>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>) -> (tensor<?x?x?x64xbf16>)
  attn.return %r0 : tensor<?x?x?x64xbf16>
}
