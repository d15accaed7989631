// Products of f32 in tf32, where they are asked for: one plane of 32-bit words, which two ldmatrix move as they move pairs of 16 bits; values are loaded word by
// word, rows of 2 q and 2 q + 1 for columns q and q + 4 of the weights, whose registers are those that scores are left in. Operands of one 16-bit type stay as
// they are, and so does what goes element by element.
// RUN: %attn-opt %s --attn-pipeline-schedule="target=sm_80 f32-products=tf32" | FileCheck %s --check-prefix=TILES
// RUN: %attn-opt %s --attn-pipeline-nv="target=sm_80 f32-products=tf32" | FileCheck %s
// RUN: not %attnc %s --target=sm_80 --f32-products=fp8 -o %t 2>&1 | FileCheck %s --check-prefix=KIND
// RUN: not %attnc %s --f32-products=tf32 -o %t 2>&1 | FileCheck %s --check-prefix=CPU
// KIND: error: [input_f32_products] products of f32 are split or tf32, not 'fp8'
// CPU: error: [input_f32_products] products in tf32 are those of GPUs; CPUs multiply f32 as it is
!h = tensor<?x?x64xbf16>
!f = tensor<?x?x64xf32>
// TILES-LABEL: @single
// TILES: gpu = array<i64: 64, 48, 64, 64, 64, 1, 1, 1, 1, 1, 0, 1, 1, 1, 1>
// CHECK-LABEL: llvm.func @attn_single_stage_main(
// Staged: rounded, and what rounds to an infinity is cut off.
// CHECK: %[[R:.*]] = nv.round_tf32
// CHECK: arith.andi %[[R]],
// CHECK: arith.cmpi eq
// CHECK: arith.select
// CHECK: vector.from_elements {{.*}} : vector<4xi32>
// CHECK: nv.ldmatrix
// CHECK: nv.mma{{.*}} {kind = "tf32"}
// CHECK-NOT: trans
// CHECK: %[[W:.*]] = nv.round_tf32
// CHECK: %[[B0:.*]] = llvm.load {{.*}} : !llvm.ptr<3> -> i32
// CHECK: %[[B1:.*]] = llvm.load {{.*}} : !llvm.ptr<3> -> i32
// CHECK: nv.mma({{.*}}), (%[[B0]], %[[B1]]), {{.*}} {kind = "tf32"}
attn.kernel @single(%q: !f, %k: !f, %v: !f) -> (o: !f) {
  %o = attn.attend dims(b | i | j | c, e) q = %q[b, i, c] k = %k[b, j, c] v = %v[b, j, e] normalize = @softmax outputs o[b, i, e] : (!f, !f, !f) -> !f
  attn.return %o : !f
}
// TILES-LABEL: @mixed
// TILES: gpu = array<i64: 64, 48, 64, 64, 64, 1, 1, 1, 1, 1, 0, 1, 1, 1, 1>
attn.kernel @mixed(%q: !h, %k: !h, %v: !f) -> (o: !f) {
  %o = attn.attend dims(b | i | j | c, e) q = %q[b, i, c] k = %k[b, j, c] v = %v[b, j, e] normalize = @softmax outputs o[b, i, e] : (!h, !h, !f) -> !f
  attn.return %o : !f
}
// Weights meet values of 16 bits, and make an f32: three planes of them, as ever.
// TILES-LABEL: @narrow
// TILES: gpu = array<i64: 64, 48, 64, 64, 64, 1, 1, 1, 1, 3, 0, 1, 2, 1, 0>
attn.kernel @narrow(%q: !h, %k: !h, %v: !h) -> (o: !f) {
  %o = attn.attend dims(b | i | j | c, e) q = %q[b, i, c] k = %k[b, j, c] v = %v[b, j, e] normalize = @softmax outputs o[b, i, e] : (!h, !h, !h) -> !f
  attn.return %o : !f
}
// TILES-LABEL: @distance
// TILES: gpu = array<i64: 64, 16, 64, 64, 64, 1, 3, 3, 3, 3, 0, 0, 1, 1, 0>
attn.kernel @distance(%q: !f, %k: !f, %v: !f) -> (o: !f) {
  %o = attn.attend dims(b | i | j | c, e) q = %q[b, i, c] k = %k[b, j, c] v = %v[b, j, e]
    dot(%x, %y) { %d = arith.subf %x, %y : f32 attn.yield %d : f32 } normalize = @softmax outputs o[b, i, e] : (!f, !f, !f) -> !f
  attn.return %o : !f
}
