// RUN: %attn-opt %s --attn-schedule | FileCheck %s
// RUN: %attn-opt %s '--attn-pipeline-schedule=block-rows=12 block-keys=40' | FileCheck %s --check-prefix=FORCED
// RUN: %attn-opt %s --attn-pipeline-tile | FileCheck %s --check-prefix=TILE

// Where a block of queries has a list of tokens and sees nothing else, its tasks gather the listed keys: as many rows as fit, of one list.

!t = tensor<?x?x?x64xf32>

// CHECK-LABEL: attn.kernel @blocks_of_128(
// CHECK: {block_keys = 256 : i64, block_rows = 132 : i64, gather_tasks, name = "stream", task_rows = 128 : i64
// CHECK-NOT: name = "split"
// FORCED-LABEL: attn.kernel @blocks_of_128(
// FORCED-NOT: gather_tasks
// TILE-LABEL: tile.program @blocks_of_128
// TILE: tile.variant "stream"
// TILE: %[[ORDER:.*]] = tile.phase "order" by 0 in_tasks {
// TILE: tile.order %{{.*}} by #{{.*}} block 1
// TILE: tile.phase "pack" by 128 in_tasks {
// TILE: tile.pack %{{.*}} order %[[ORDER]]
// TILE: tile.phase "main" by 128 {
attn.kernel @blocks_of_128(%q: !t, %k: !t, %v: !t, %l: tensor<?x?x?x?xi32>) -> (o: !t) {
  %o = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = causal<top_left> and tokens<%l[b, h, i floordiv 128]>
    outputs o[b, h, i, e] : (!t, !t, !t) -> !t
  attn.return %o : !t
}

// A task stays inside a block of queries.
// CHECK-LABEL: attn.kernel @blocks_of_1000(
// CHECK: gather_tasks, {{.*}}task_rows = 125 : i64
// FORCED-LABEL: attn.kernel @blocks_of_24(
// FORCED: gather_tasks, name = "forced", task_rows = 12 : i64
attn.kernel @blocks_of_1000(%q: !t, %k: !t, %v: !t, %l: tensor<?x?xi32>) -> (o: !t) {
  %o = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = tokens<%l[i floordiv 1000]>
    outputs o[b, h, i, e] : (!t, !t, !t) -> !t
  attn.return %o : !t
}

// CHECK-LABEL: attn.kernel @blocks_of_24(
// CHECK: gather_tasks, {{.*}}task_rows = 24 : i64
attn.kernel @blocks_of_24(%q: !t, %k: !t, %v: !t, %l: tensor<?x?xi32>) -> (o: !t) {
  %o = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = blocks<%l[i floordiv 24], block = 4>
    outputs o[b, h, i, e] : (!t, !t, !t) -> !t
  attn.return %o : !t
}

// Not for few queries, or where tasks of whole lists would have few.
// CHECK-LABEL: attn.kernel @blocks_of_8(
// CHECK-NOT: gather_tasks
attn.kernel @blocks_of_8(%q: !t, %k: !t, %v: !t, %l: tensor<?x?xi32>) -> (o: !t) {
  %o = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = tokens<%l[i floordiv 8]>
    outputs o[b, h, i, e] : (!t, !t, !t) -> !t
  attn.return %o : !t
}

attn.kernel @blocks_of_997(%q: !t, %k: !t, %v: !t, %l: tensor<?x?xi32>) -> (o: !t) {
  %o = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = tokens<%l[i floordiv 997]>
    outputs o[b, h, i, e] : (!t, !t, !t) -> !t
  attn.return %o : !t
}

// Nor for blocks of keys that fill panels, where the list is one of two ways to be seen, or where keys pass through a region.
attn.kernel @large_blocks(%q: !t, %k: !t, %v: !t, %l: tensor<?x?xi32>) -> (o: !t) {
  %o = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = blocks<%l[i floordiv 64], block = 64>
    outputs o[b, h, i, e] : (!t, !t, !t) -> !t
  attn.return %o : !t
}

attn.kernel @either(%q: !t, %k: !t, %v: !t, %l: tensor<?x?xi32>) -> (o: !t) {
  %o = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = tokens<%l[i floordiv 64]> or sinks<4>
    outputs o[b, h, i, e] : (!t, !t, !t) -> !t
  attn.return %o : !t
}

attn.kernel @region(%q: !t, %k: !t, %v: !t, %l: tensor<?x?xi32>) -> (o: !t) {
  %o = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] as (%x) { %y = math.absf %x : f32 attn.yield %y : f32 } v = %v[b, h, j, e]
    set = tokens<%l[i floordiv 64]>
    outputs o[b, h, i, e] : (!t, !t, !t) -> !t
  attn.return %o : !t
}

// A list of a whole head is put in order once; its keys are packed by the task that has all queries, if one has.
// CHECK-LABEL: attn.kernel @of_a_head(
// CHECK: {block_keys = 256 : i64, block_rows = 132 : i64, gather, name = "stream"
// TILE-LABEL: tile.program @of_a_head
// TILE: tile.phase "order" by 0 {
// TILE: tile.phase "pack" by 128 attributes {alone} {
// TILE: tile.phase "main" by 132 descending {
attn.kernel @of_a_head(%q: !t, %k: !t, %v: !t, %l: tensor<?x?x?xi32>) -> (o: !t) {
  %o = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = tokens<%l[b, h]>
    outputs o[b, h, i, e] : (!t, !t, !t) -> !t
  attn.return %o : !t
}

// Heads that share keys are several tasks.
// TILE-LABEL: tile.program @of_heads_together
// TILE-NOT: alone
attn.kernel @of_heads_together(%q: !t, %k: !t, %v: !t, %l: tensor<?x?xi32>) -> (o: !t) {
  %o = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h floordiv 4, j, c] v = %v[b, h floordiv 4, j, e]
    set = tokens<%l[b]>
    outputs o[b, h, i, e] : (!t, !t, !t) -> !t
  attn.return %o : !t
}
