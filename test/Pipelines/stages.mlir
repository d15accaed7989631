// RUN: %attn-opt %s --attn-pipeline-schedule | FileCheck %s --check-prefix=SCHEDULE
// RUN: %attn-opt %s --attn-pipeline-tile | FileCheck %s --check-prefix=TILE
// RUN: %attn-opt %s --attn-pipeline-vector | FileCheck %s --check-prefix=VECTOR
// RUN: %attn-opt %s --attn-pipeline-llvm | FileCheck %s --check-prefix=LLVM
// RUN: %attn-opt %s --attn-link-normalizers --attn-schedule --attn-to-tile --tile-to-vector --vector-to-llvm -o %t.stepwise
// RUN: %attn-opt %s --attn-pipeline-llvm -o %t.at-once
// RUN: cmp %t.stepwise %t.at-once

// Each named pipeline is all stages up to its name.

// SCHEDULE: attn.normalizer @softmax
// SCHEDULE: attn.kernel @two
// SCHEDULE: attn.schedule =
// TILE: tile.program @two
// VECTOR: llvm.func internal @attn_two_v0_main
// VECTOR: scf.for
// VECTOR: vector.fma
// LLVM: llvm.func internal @attn_two_v0_main
// LLVM: llvm.cond_br

// Kernels of one module stand side by side.
// TILE: tile.program @one
// VECTOR: llvm.func @attn_one(
// LLVM: llvm.func @attn_one(
attn.kernel @two(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>) -> (o: tensor<?x?x?x64xf32>, lse: tensor<?x?x?xf32>) {
  %r0, %r1 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = causal<top_left>
    outputs o[b, h, i, e], lse[b, h, i]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>, tensor<?x?x?xf32>)
  attn.return %r0, %r1 : tensor<?x?x?x64xf32>, tensor<?x?x?xf32>
}

attn.kernel @one(%q: tensor<?x?x?x32xf64>, %k: tensor<?x?x?x32xf64>, %v: tensor<?x?x?x32xf64>) -> (o: tensor<?x?x?x32xf64>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    outputs o[b, h, i, e]
    : (tensor<?x?x?x32xf64>, tensor<?x?x?x32xf64>, tensor<?x?x?x32xf64>) -> (tensor<?x?x?x32xf64>)
  attn.return %r0 : tensor<?x?x?x32xf64>
}
