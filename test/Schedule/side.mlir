// RUN: %attn-opt %s --attn-pipeline-schedule | FileCheck %s
// RUN: %attn-opt %s --attn-pipeline-vector | FileCheck %s --check-prefix=CODE

// Small problems side by side, where all pairs are seen and features are few.
// CHECK-LABEL: attn.kernel @small
// CHECK: attn.schedule = [{block_keys = 64 : i64, block_rows = 16 : i64, name = "side", side,
// CHECK-SAME: name = "split_few"
// CHECK-SAME: name = "stream"
// CODE: llvm.func internal @attn_small_v0_main(
// CODE-NOT: @attn_small_v0_pack(
// CODE: llvm.func internal @attn_small_v0_guard(
// CODE: llvm.func internal @attn_small_v1_main(
!t = tensor<?x?x?x16xf32>
attn.kernel @small(%q: !t, %k: !t, %v: !t) -> (o: !t, lse: tensor<?x?x?xf32>) {
  %o, %lse = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    outputs o[b, h, i, e], lse[b, h, i]
    : (!t, !t, !t) -> (!t, tensor<?x?x?xf32>)
  attn.return %o, %lse : !t, tensor<?x?x?xf32>
}

// CHECK-LABEL: attn.kernel @wide
// CHECK-NOT: name = "side"
!w = tensor<?x?x?x64xf32>
attn.kernel @wide(%q: !w, %k: !w, %v: !w) -> (o: !w) {
  %o = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    outputs o[b, h, i, e] : (!w, !w, !w) -> !w
  attn.return %o : !w
}

// The set of all pairs is none.
// CHECK-LABEL: attn.kernel @full
// CHECK: name = "side"
!d = tensor<?x?x?x32xf32>
attn.kernel @full(%q: !d, %k: !d, %v: !d) -> (o: !d) {
  %o = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = full
    outputs o[b, h, i, e] : (!d, !d, !d) -> !d
  attn.return %o : !d
}

// CHECK-LABEL: attn.kernel @set
// CHECK-NOT: name = "side"
attn.kernel @set(%q: !t, %k: !t, %v: !t) -> (o: !t) {
  %o = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = causal<top_left>
    outputs o[b, h, i, e] : (!t, !t, !t) -> !t
  attn.return %o : !t
}
