// RUN: %attn-opt %s --attn-pipeline-vector | FileCheck %s

!t = tensor<?x?x?x64xf32>

// A task puts the keys of its list in order, and packs them by a function; there is neither a phase that does.
// CHECK-NOT: @attn_of_blocks_v2_order
// CHECK-NOT: @attn_of_blocks_v2_pack
// CHECK: llvm.func internal @attn_of_blocks_v2_block(
// CHECK: llvm.func internal @attn_of_blocks_v2_main(
// CHECK: llvm.call @attn_of_blocks_v2_block(
// CHECK: llvm.func internal @attn_of_blocks_v2_sizes(
attn.kernel @of_blocks(%q: !t, %k: !t, %v: !t, %l: tensor<?x?x?x?xi32>) -> (o: !t) {
  %o = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = tokens<%l[b, h, i floordiv 64]>
    outputs o[b, h, i, e] : (!t, !t, !t) -> !t
  attn.return %o : !t
}

// Both phases and tasks pack by the same function, whichever it is.
// CHECK: llvm.func internal @attn_of_heads_v0_order(
// CHECK: llvm.func internal @attn_of_heads_v0_pack(
// CHECK: llvm.call @attn_of_heads_v0_block(
// CHECK: llvm.func internal @attn_of_heads_v0_block(
// CHECK: llvm.func internal @attn_of_heads_v0_main(
// CHECK: llvm.call @attn_of_heads_v0_block(
attn.kernel @of_heads(%q: !t, %k: !t, %v: !t, %l: tensor<?x?x?xi32>) -> (o: !t) {
  %o = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = tokens<%l[b, h]>
    outputs o[b, h, i, e] : (!t, !t, !t) -> !t
  attn.return %o : !t
}
