// How much of queries and keys a CTA holds, and in how many planes of 16 bits: operands of one 16-bit type as they are, others in three.
// RUN: %attn-opt %s --attn-pipeline-schedule=target=sm_80 | FileCheck %s --check-prefixes=CHECK,SM80
// RUN: %attn-opt %s --attn-pipeline-schedule=target=sm_86,sm_80 | FileCheck %s --check-prefixes=CHECK,SM86
!h = tensor<?x?x64xbf16>
!f = tensor<?x?x64xf32>
!w = tensor<?x?x512xf32>
// CHECK-LABEL: @narrow
// rows, keys, features, value features of a CTA and of all, slices, planes of q, k, v and weights, f16, tensor cores, stages, sums of values, tf32
// CHECK: gpu = array<i64: 64, 64, 64, 64, 64, 1, 1, 1, 1, 1, 0, 1, 2, 1, 0>
attn.kernel @narrow(%q: !h, %k: !h, %v: !h) -> (o: !h) {
  %o = attn.attend dims(b | i | j | c, e) q = %q[b, i, c] k = %k[b, j, c] v = %v[b, j, e] normalize = @softmax outputs o[b, i, e] : (!h, !h, !h) -> !h
  attn.return %o : !h
}
// Keys and queries as they are, values and weights in f32.
// CHECK-LABEL: @mixed
// CHECK: gpu = array<i64: 64, 16, 64, 64, 64, 1, 1, 1, 3, 3, 0, 1, 1, 1, 0>
attn.kernel @mixed(%q: !h, %k: !h, %v: !f) -> (o: !f) {
  %o = attn.attend dims(b | i | j | c, e) q = %q[b, i, c] k = %k[b, j, c] v = %v[b, j, e] normalize = @softmax outputs o[b, i, e] : (!h, !h, !f) -> !f
  attn.return %o : !f
}
// CHECK-LABEL: @wide
// Four runs of 128 value features; fewer rows and keys where there is less shared memory.
// SM80: gpu = array<i64: {{16|32}}, 16, 512, 128, 512, 4, 3, 3, 3, 3, 0, 1, 1, 1, 0>
// SM86: gpu = array<i64: 16, 16, 512, 128, 512, 4, 3, 3, 3, 3, 0, 1, 1, 1, 0>
attn.kernel @wide(%q: !w, %k: !w, %v: !w) -> (o: !w) {
  %o = attn.attend dims(b | i | j | c, e) q = %q[b, i, c] k = %k[b, j, c] v = %v[b, j, e] normalize = @softmax outputs o[b, i, e] : (!w, !w, !w) -> !w
  attn.return %o : !w
}
