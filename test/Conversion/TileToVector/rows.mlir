// RUN: %attn-opt %s --attn-pipeline-vector | FileCheck %s

// Queries that go by lists of their own: a guard by shapes, then one phase. Eight keys a round, each with an accumulator over all features.

// CHECK-NOT: @attn_csr_v0_pack
// CHECK: llvm.func internal @attn_csr_v0_main
// Bits are set and looked up only where a list does not ascend.
// CHECK: vector.shuffle
// CHECK: arith.cmpi sgt, {{.*}} : vector<8xi32>
// CHECK: llvm.call @attn_csr_v0_raise
// CHECK: llvm.func internal @attn_csr_v0_guard(%{{.*}}: !llvm.ptr) -> i32
// CHECK: arith.extui %{{.*}} : i1 to i32
// CHECK-NEXT: llvm.return
// CHECK: llvm.func internal @attn_csr_v0_sizes
// CHECK: llvm.func internal @attn_csr_v1_pack
// CHECK-NOT: @attn_csr_v1_guard

// RUN: %attn-opt %s --attn-pipeline-vector | FileCheck %s --check-prefix=PREFETCH
// 64 features of f32 are four lines: a key further on for each of eight keys, a value for each value, in place and by copies.
// PREFETCH-LABEL: llvm.func internal @attn_csr_v0_main
// PREFETCH-COUNT-72: llvm.intr.prefetch
// PREFETCH-NOT: llvm.intr.prefetch
// PREFETCH-LABEL: llvm.func internal @attn_csr_v0_guard
// Packing: of a group of keys and of a value, what comes next and where it goes, in whole lines.
// PREFETCH-LABEL: llvm.func internal @attn_csr_v1_pack
// PREFETCH-COUNT-26: llvm.intr.prefetch
// PREFETCH-NOT: llvm.intr.prefetch
// PREFETCH-LABEL: llvm.func internal @attn_csr_v1_main
// The microtile's share of the next block: six lines of its keys and six of its values.
// PREFETCH-COUNT-12: llvm.intr.prefetch
// PREFETCH-NOT: llvm.intr.prefetch
attn.kernel @csr(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>, %offsets: tensor<?x?xi32>, %columns: tensor<?x?xi32>) -> (o: tensor<?x?x?x64xf32>) {
  %o = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = csr<%offsets[b], %columns[b]>
    outputs o[b, h, i, e] : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> tensor<?x?x?x64xf32>
  attn.return %o : tensor<?x?x?x64xf32>
}
