// RUN: %attn-opt %s --attn-pipeline-schedule | FileCheck %s
// RUN: %attn-opt %s '--attn-pipeline-schedule=block-rows=8 block-keys=40' | FileCheck %s --check-prefix=BLOCKS
// RUN: %attn-opt %s '--attn-pipeline-schedule=target=x86-64-v4' | FileCheck %s --check-prefix=WIDE

// Where heads share keys, variants in which their queries stand together come first, whose guards ask for few queries.

!t = tensor<?x?x?x64xf32>
// CHECK-LABEL: attn.kernel @grouped(
// CHECK: attn.schedule = [{{{[^}]*}}name = "split_few", {{[^}]*}}}, {{{[^}]*}}name = "few", {{[^}]*}}}, {block_keys = 256 : i64, block_rows = 132 : i64, chunks = 16 : i64, name = "split_group", {{[^}]*}}together}, {block_keys = 256 : i64, block_rows = 132 : i64, name = "group", {{[^}]*}}together}, {{{.*}}name = "split", {{[^}]*}}}, {{{.*}}name = "stream", {{.*}}}]
// Strips of 14 rows would be as many as of 8 where 16 rows stand together.
// WIDE-LABEL: attn.kernel @grouped(
// WIDE: block_rows = 128 : i64, name = "group", task_rows = 128 : i64, threshold = {{[^,]*}}, tile_keys = 32 : i64, tile_rows = 8 : i64, together}
// WIDE-SAME: name = "stream", {{[^}]*}}tile_rows = 14 : i64}
// BLOCKS-LABEL: attn.kernel @grouped(
// BLOCKS: attn.schedule = [{block_keys = 48 : i64, block_rows = 12 : i64, name = "forced_group", {{[^}]*}}together}, {block_keys = 48 : i64, block_rows = 12 : i64, name = "forced", {{[^}]*}}}]
attn.kernel @grouped(%q: !t, %k: !t, %v: !t, %n: tensor<?xi32>) -> (o: !t) {
  %o = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h floordiv 4, j, c] v = %v[b, h floordiv 4, j, e]
    set = lengths<k = %n> and causal<bottom_right>
    outputs o[b, h, i, e] : (!t, !t, !t) -> !t
  attn.return %o : !t
}

// All heads share, and a list of the batch element orders their keys.
// CHECK-LABEL: attn.kernel @paged(
// CHECK: attn.schedule = [{{{.*}}gather, name = "group", {{.*}}together}, {{{.*}}gather, name = "stream", {{.*}}}]
attn.kernel @paged(%q: !t, %k: tensor<?x?x64xf32>, %v: tensor<?x?x64xf32>, %pages: tensor<?x?xi32>) -> (o: !t) {
  %o = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, j, c] v = %v[b, j, e]
    set = pages<%pages[b], block = 16>
    outputs o[b, h, i, e] : (!t, tensor<?x?x64xf32>, tensor<?x?x64xf32>) -> !t
  attn.return %o : !t
}

// A set of the head, values of the head, weights of pairs.
// CHECK-LABEL: attn.kernel @own(
// CHECK-NOT: together
attn.kernel @own(%q: !t, %k: !t, %v: !t, %m: tensor<?x?x?xi8>) -> (a: !t, c: !t, p: tensor<?x?x?x?xf32>) {
  %a = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h floordiv 4, j, c] v = %v[b, h floordiv 4, j, e]
    set = mask<%m[h, i, j]>
    outputs o[b, h, i, e] : (!t, !t, !t) -> !t
  %c = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h floordiv 4, j, c] v = %v[b, h, j, e]
    outputs o[b, h, i, e] : (!t, !t, !t) -> !t
  %p = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h floordiv 4, j, c] v = %v[b, h floordiv 4, j, e]
    outputs p[b, h, i, j] : (!t, !t, !t) -> tensor<?x?x?x?xf32>
  attn.return %a, %c, %p : !t, !t, tensor<?x?x?x?xf32>
}
