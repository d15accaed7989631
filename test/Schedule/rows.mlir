// RUN: %attn-opt %s --attn-schedule | FileCheck %s
// RUN: %attn-opt %s '--attn-pipeline-schedule=block-rows=8 block-keys=40' | FileCheck %s --check-prefix=FORCED

// Where every query has a list of its own and sees nothing else, rows are read one by one; packed keys and bits of lists come second.

!t = tensor<?x?x?x64xf32>
!f64 = tensor<?x?x?x64xf64>

// CHECK-LABEL: attn.kernel @csr(
// CHECK: attn.schedule = [{block_keys = 256 : i64, block_rows = 64 : i64, name = "rows", rows, task_rows = 64 : i64, threshold = 8.000000e+00 : f64, tile_keys = 16 : i64, tile_rows = 1 : i64},
// CHECK-SAME: {{{.*}}name = "stream"
// FORCED-LABEL: attn.kernel @csr(
// FORCED: attn.schedule = [{block_keys = 48 : i64, block_rows = 8 : i64, name = "rows", rows, task_rows = 8 : i64, {{.*}}tile_rows = 1 : i64}, {{{.*}}name = "forced"
attn.kernel @csr(%q: !t, %k: !t, %v: !t, %offsets: tensor<?x?xi32>, %columns: tensor<?x?xi32>) -> (o: !t) {
  %o = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = causal<top_left> and csr<%offsets[b], %columns[b]>
    outputs o[b, h, i, e] : (!t, !t, !t) -> !t
  attn.return %o : !t
}

// CHECK-LABEL: attn.kernel @tokens(
// CHECK: name = "rows", {{.*}}tile_keys = 8 : i64, tile_rows = 1 : i64}, {{{.*}}name = "stream"
attn.kernel @tokens(%q: !f64, %k: !f64, %v: !f64, %ids: tensor<?x?x?xi32>) -> (o: !f64) {
  %o = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = tokens<%ids[b, i]> minus causal<top_left>
    outputs o[b, h, i, e] : (!f64, !f64, !f64) -> !f64
  attn.return %o : !f64
}

// A second list is looked up in bits of all keys, one for every row of a task: fewer rows.
// CHECK-LABEL: attn.kernel @two_lists(
// CHECK: block_rows = 16 : i64, name = "rows"
attn.kernel @two_lists(%q: !t, %k: !t, %v: !t, %ids: tensor<?x?x?xi32>, %no: tensor<?x?x?xi32>) -> (o: !t) {
  %o = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = tokens<%ids[b, i]> minus tokens<%no[b, i]>
    outputs o[b, h, i, e] : (!t, !t, !t) -> !t
  attn.return %o : !t
}

// Not where the list is one of two ways to be seen, is taken away, is shared by rows, or has blocks that fill a panel.
// CHECK-LABEL: attn.kernel @or(
// CHECK-NOT: "rows"
attn.kernel @or(%q: !t, %k: !t, %v: !t, %ids: tensor<?x?x?xi32>) -> (o: !t) {
  %o = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = tokens<%ids[b, i]> or causal<top_left>
    outputs o[b, h, i, e] : (!t, !t, !t) -> !t
  attn.return %o : !t
}

attn.kernel @taken(%q: !t, %k: !t, %v: !t, %ids: tensor<?x?x?xi32>) -> (o: !t) {
  %o = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = causal<top_left> minus tokens<%ids[b, i]>
    outputs o[b, h, i, e] : (!t, !t, !t) -> !t
  attn.return %o : !t
}

attn.kernel @shared(%q: !t, %k: !t, %v: !t, %ids: tensor<?x?x?xi32>) -> (o: !t) {
  %o = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = blocks<%ids[b, i floordiv 4], block = 4>
    outputs o[b, h, i, e] : (!t, !t, !t) -> !t
  attn.return %o : !t
}

attn.kernel @wide(%q: !t, %k: !t, %v: !t, %ids: tensor<?x?x?xi32>) -> (o: !t) {
  %o = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = blocks<%ids[b, i], block = 16>
    outputs o[b, h, i, e] : (!t, !t, !t) -> !t
  attn.return %o : !t
}
