// RUN: %attn-opt %s --attn-pipeline-schedule | FileCheck %s
// RUN: %attn-opt %s --attn-pipeline-schedule=split-keys=7 | FileCheck %s --check-prefix=FORCED
// RUN: %attn-opt %s '--attn-pipeline-schedule=block-rows=8 block-keys=40' | FileCheck %s --check-prefix=BLOCKS
// RUN: %attn-opt %s '--attn-pipeline-schedule=split-keys=2 block-rows=8 block-keys=40' | FileCheck %s --check-prefix=BOTH

// Whatever makes one pass over the keys can be split: a variant with chunks comes first, whose guard asks for one block of queries and many keys.

// CHECK-LABEL: attn.kernel @one_pass(
// CHECK: attn.schedule = [{{{[^}]*}}name = "split_few", {{[^}]*}}}, {{{[^}]*}}name = "few", {{[^}]*}}}, {block_keys = 256 : i64, block_rows = 96 : i64, chunks = 16 : i64, name = "split", {{.*}}}, {block_keys = 256 : i64, block_rows = 96 : i64, name = "stream", {{.*}}}]
// A number of chunks that is given holds for every call; forced blocks alone are not split.
// FORCED-LABEL: attn.kernel @one_pass(
// FORCED: attn.schedule = [{block_keys = 256 : i64, block_rows = 96 : i64, chunks = 7 : i64, name = "split", task_rows = 96 : i64, threshold = 8.000000e+00 : f64, tile_keys = 16 : i64, tile_rows = 6 : i64}]
// BLOCKS-LABEL: attn.kernel @one_pass(
// BLOCKS: attn.schedule = [{block_keys = 48 : i64, block_rows = 12 : i64, name = "forced", {{[^}]*}}}]
// BOTH-LABEL: attn.kernel @one_pass(
// BOTH: attn.schedule = [{block_keys = 48 : i64, block_rows = 12 : i64, chunks = 2 : i64, name = "split", {{[^}]*}}}]
attn.kernel @one_pass(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>) -> (o: tensor<?x?x?x64xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// So can a selection.
// CHECK-LABEL: attn.kernel @select(
// CHECK: attn.schedule = [{{{[^}]*}}name = "split_few", {{[^}]*}}}, {{{[^}]*}}name = "few", {{[^}]*}}}, {{{.*}}chunks = 16 : i64, name = "split"
attn.kernel @select(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>) -> (o: tensor<?x?x?x64xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    normalize = @argmax
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}
