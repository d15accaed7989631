// RUN: %attn-opt %s --attn-pipeline-tile=split-keys=7 | FileCheck %s
// RUN: %attn-opt %s --attn-pipeline-tile=split-keys=7 | %attn-opt --verify-roundtrip | FileCheck %s

// The main phase ends with its sweep, whose state it saves for every chunk; the merge phase makes one state of them and does all that follows a sweep: so the seed enters once.

// CHECK-LABEL: tile.program @sink
// CHECK: tile.variant "split"
// No heads share keys: a block is packed by the one task that meets it.
// CHECK: tile.phase "pack" by 256 in_tasks {
// CHECK: %[[STATE:.*]] = tile.phase "main" by 96 descending chunks 7 {
// CHECK:   tile.param
// CHECK:   %[[DONE:.*]]:3 = tile.for
// CHECK:   %[[SAVED:.*]] = tile.save ref %[[DONE]]#0 sums(%[[DONE]]#1) acc %[[DONE]]#2
// CHECK-NEXT: tile.yield %[[SAVED]] : !tile.state
// CHECK-NEXT: } : !tile.state
// CHECK-NEXT: tile.phase "merge" by 96 {
// CHECK-NEXT:   %[[B:.*]] = tile.param
// CHECK-NEXT:   %[[R:[a-z0-9_]+]], %[[L:[a-z0-9_]+]], %[[N:[a-z0-9_]+]] = tile.merge %[[STATE]] ops [0] phis [0]
// CHECK-SAME:   gauge {
// CHECK:          math.exp2
// CHECK:        }
// CHECK:        %[[S:.*]]:3 = tile.seed ref %[[R]] sums(%[[L]]) acc(%[[N]]) given %[[B]]
// CHECK:        tile.finish ref %[[S]]#0 sums(%[[S]]#1) acc %[[S]]#2 given %[[B]]
attn.kernel @sink(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>, %b: tensor<?xf32>) -> (o: tensor<?x?x?x64xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    normalize = @softmax_sink(%b[h])
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// Without a reference nothing has a gauge; what nothing weighs is merged by its kind.
// CHECK-LABEL: tile.program @counts
// CHECK: tile.save sums(%{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}) acc
// CHECK: tile.merge %{{.*}} ops [0, 1, 2, 3] phis [-1, -1, -1, -1]
// CHECK-SAME: gauge {
// CHECK-NEXT: } ->
// CHECK-NOT: tile.seed
attn.kernel @counts(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>) -> (o: tensor<?x?x?x64xf32>, top: tensor<?x?x?xf32>, low: tensor<?x?x?xf32>, id: tensor<?x?x?xi32>) {
  %r0, %r1, %r2, %r3 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    normalize = @identity_n
    reduce top = max(%s) { attn.yield %s : f32 }
    reduce low = min(%s) { attn.yield %s : f32 }
    reduce id = argmax
    outputs o[b, h, i, e], top[b, h, i], low[b, h, i], id[b, h, i]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>, tensor<?x?x?xf32>, tensor<?x?x?xf32>, tensor<?x?x?xi32>)
  attn.return %r0, %r1, %r2, %r3 : tensor<?x?x?x64xf32>, tensor<?x?x?xf32>, tensor<?x?x?xf32>, tensor<?x?x?xi32>
}

// The merge phase picks the value of the key that all chunks together found.
// CHECK-LABEL: tile.program @select
// CHECK: tile.save sums(%{{.*}}) :
// CHECK: %[[FOUND:.*]] = tile.merge %{{.*}} ops [3] phis [-1]
// CHECK: tile.pick %[[FOUND]] from
attn.kernel @select(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>) -> (o: tensor<?x?x?x64xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    normalize = @argmax
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// Keys that heads share are packed once for all.
// CHECK-LABEL: tile.program @shared
// CHECK: tile.phase "pack" by 256 {
// CHECK: tile.phase "main" by 96 descending chunks 7 {
attn.kernel @shared(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>) -> (o: tensor<?x?x?x64xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h floordiv 4, j, c] v = %v[b, h floordiv 4, j, e]
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// So are those with a summary, which boxes are asked about before.
// CHECK-LABEL: tile.program @summary
// CHECK: tile.phase "pack" by 256 {
// CHECK: tile.summary
attn.kernel @summary(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>, %s: tensor<?x?xi32>) -> (o: tensor<?x?x?x64xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = same_segment<%s>
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}
