// RUN: %attn-opt %s '--attn-pipeline-schedule=target=x86-64-v4-amx' | FileCheck %s
// RUN: %attn-opt %s '--attn-pipeline-schedule=target=x86-64-v4-bf16' | FileCheck %s --check-prefix=LOWER
// RUN: %attn-opt %s '--attn-pipeline-vector=target=x86-64-v4-amx' | FileCheck %s --check-prefix=CODE

// Where products have bf16 operands, and keys are packed, they are made on tiles: strips of 8 rows, blocks of whole groups of 32.

// LOWER-NOT: tiles

!t = tensor<?x?x?x72xbf16>
// CHECK-LABEL: attn.kernel @both(
// CHECK: {bf16_scores, bf16_values, block_keys = 256 : i64, block_rows = 96 : i64, {{[^}]*}}name = "split", {{[^}]*}}tile_rows = 8 : i64, tiles}
// CHECK-SAME: {bf16_scores, bf16_values, block_keys = 256 : i64, block_rows = 96 : i64, {{[^}]*}}name = "stream", {{[^}]*}}tile_rows = 8 : i64, tiles}

// Keys of 36 words are padded to 48: 24 vectors of zeros a panel.
// CODE-LABEL: llvm.func internal @attn_both_v0_block(
// CODE: llvm.load {{.*}} -> vector<32xi16>
// CODE-COUNT-24: llvm.store %cst{{.*}} : vector<16xf32>, !llvm.ptr

// One configuration; the product of a run's first panel, by fma or on tiles; parts of the next one's before each strip; values on tiles.
// CODE-LABEL: llvm.func internal @attn_both_v0_main(
// CODE: llvm.call_intrinsic "llvm.x86.ldtilecfg"
// CODE: vector.fma
// CODE-COUNT-4: llvm.call_intrinsic "llvm.x86.tilezero"
// CODE: scf.for
// CODE-COUNT-4: llvm.call_intrinsic "llvm.x86.tdpbf16ps"
// CODE: scf.yield
// CODE-COUNT-4: llvm.call_intrinsic "llvm.x86.tilestored64"
// CODE-COUNT-4: llvm.call_intrinsic "llvm.x86.tilezero"
// CODE-COUNT-4: llvm.call_intrinsic "llvm.x86.tdpbf16ps"
// CODE: llvm.call_intrinsic "llvm.x86.avx512bf16.cvtne2ps2bf16.512"
// CODE-COUNT-4: llvm.call_intrinsic "llvm.x86.tilestored64"
// CODE-COUNT-4: llvm.call_intrinsic "llvm.x86.tileloadd64"
// CODE: scf.for
// CODE-COUNT-4: llvm.call_intrinsic "llvm.x86.tdpbf16ps"
// CODE-COUNT-4: llvm.call_intrinsic "llvm.x86.tilestored64"
// CODE: llvm.call_intrinsic "llvm.x86.tilerelease"
// CODE-NOT: dpbf16ps.512
// CODE-LABEL: llvm.func internal @attn_wide_v0_block(
attn.kernel @both(%q: !t, %k: !t, %v: !t) -> (o: !t, lse: tensor<?x?x?xf32>) {
  %o, %lse = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    outputs o[b, h, i, e], lse[b, h, i] : (!t, !t, !t) -> (!t, tensor<?x?x?xf32>)
  attn.return %o, %lse : !t, tensor<?x?x?xf32>
}

// An output of 32 bits takes weights of 32 bits: scores alone are made on tiles.
// CHECK-LABEL: attn.kernel @wide(
// CHECK: {bf16_scores, block_keys{{[^}]*}}tiles}
!w = tensor<?x?x?x72xf32>
attn.kernel @wide(%q: !t, %k: !t, %v: !t) -> (o: !w) {
  %o = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    outputs o[b, h, i, e] : (!t, !t, !t) -> !w
  attn.return %o : !w
}

// Keys of both branches lie side by side: no tiles, and vectors of a CPU that has some multiply f32 faster than bf16.
// CHECK-LABEL: attn.kernel @branches(
// CHECK-NOT: bf16_
// CHECK-NOT: tiles
// CHECK-LABEL: attn.kernel @neither(
// CHECK-NOT: tiles
!q = tensor<?x?x2x?x64xbf16>
!b = tensor<?x?x?x64xbf16>
attn.kernel @branches(%q: !q, %k: !q, %v: !b) -> (o: !q) {
  %o = attn.attend dims(b, h, t | i | j | c, e)
    q = %q[b, h, t, i, c] k = %k[b, h, t, j, c] v = %v[b, h, j, e]
    outputs o[b, h, t, i, e] : (!q, !q, !b) -> !q
  attn.return %o : !q
}

attn.kernel @neither(%q: !w, %k: !w, %v: !w) -> (o: !w) {
  %o = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    outputs o[b, h, i, e] : (!w, !w, !w) -> !w
  attn.return %o : !w
}
