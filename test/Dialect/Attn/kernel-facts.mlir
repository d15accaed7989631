// RUN: %attn-opt %s --split-input-file | FileCheck %s
// RUN: %attn-opt %s --split-input-file --mlir-print-op-generic | %attn-opt --split-input-file | FileCheck %s
// RUN: %attn-opt %s --split-input-file --verify-roundtrip -o %t

// Facts that the caller promises about integer tensors.

!t = tensor<?x?x?x64xf32>
// CHECK-LABEL: attn.kernel @facts(
// CHECK-SAME: %v: tensor<?x?x?x64xf32>,
// CHECK-SAME: %seg: tensor<?x?xi32> {attn.sorted},
// CHECK-SAME: %list: tensor<?x?xi64> {attn.range = array<i64: -1, 100>, attn.sorted},
// CHECK-SAME: %w: index) -> (o:
// CHECK-SAME: ) {
attn.kernel @facts(%q: !t, %k: !t, %v: !t, %seg: tensor<?x?xi32> {attn.sorted},
                   %list: tensor<?x?xi64> {attn.range = array<i64: -1, 100>, attn.sorted}, %w: index) -> (o: !t) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = same_segment<%seg> and tokens<%list[b]> and window<top_left, left = %w>
    outputs o[b, h, i, e]
    : (!t, !t, !t) -> (!t)
  attn.return %r0 : !t
}

// CHECK-LABEL: attn.kernel @none(
// CHECK-NOT: attn.sorted
// CHECK-NOT: arg_attrs
// CHECK: attn.return
attn.kernel @none(%q: !t) -> (o: !t) {
  %r0 = attn.attend dims(b, h | i | j | c)
    q = %q[b, h, i, c] k = %q[b, h, j, c] v = %q[b, h, j, c]
    outputs o[b, h, i, c]
    : (!t, !t, !t) -> (!t)
  attn.return %r0 : !t
}
