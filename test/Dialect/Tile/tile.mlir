// Every program of the gallery, in the tile dialect, reads back from its text and its bytecode.

// RUN: %attn-opt %gallery/full.mlir --attn-pipeline-tile | %attn-opt --verify-roundtrip -o %t
// RUN: %attn-opt %gallery/causal.mlir --attn-pipeline-tile | %attn-opt --verify-roundtrip -o %t
// RUN: %attn-opt %gallery/causal_top_left.mlir --attn-pipeline-tile | %attn-opt --verify-roundtrip -o %t
// RUN: %attn-opt %gallery/sliding_window.mlir --attn-pipeline-tile | %attn-opt --verify-roundtrip -o %t
// RUN: %attn-opt %gallery/prefix_lm.mlir --attn-pipeline-tile | %attn-opt --verify-roundtrip -o %t
// RUN: %attn-opt %gallery/document.mlir --attn-pipeline-tile | %attn-opt --verify-roundtrip -o %t
// RUN: %attn-opt %gallery/alibi.mlir --attn-pipeline-tile | %attn-opt --verify-roundtrip -o %t
// RUN: %attn-opt %gallery/softcap.mlir --attn-pipeline-tile | %attn-opt --verify-roundtrip -o %t
// RUN: %attn-opt %gallery/t5_bias.mlir --attn-pipeline-tile | %attn-opt --verify-roundtrip -o %t
// RUN: %attn-opt %gallery/gqa.mlir --attn-pipeline-tile | %attn-opt --verify-roundtrip -o %t
// RUN: %attn-opt %gallery/mqa.mlir --attn-pipeline-tile | %attn-opt --verify-roundtrip -o %t
// RUN: %attn-opt %gallery/cross.mlir --attn-pipeline-tile | %attn-opt --verify-roundtrip -o %t
// RUN: %attn-opt %gallery/varlen.mlir --attn-pipeline-tile | %attn-opt --verify-roundtrip -o %t
// RUN: %attn-opt %gallery/minilm.mlir --attn-pipeline-tile | %attn-opt --verify-roundtrip -o %t
// RUN: %attn-opt %gallery/csr.mlir --attn-pipeline-tile | %attn-opt --verify-roundtrip -o %t

// The stages can also be run one by one, with text between them.

// RUN: %attn-opt %gallery/document.mlir --attn-pipeline-vector -o %t.at-once
// RUN: %attn-opt %gallery/document.mlir --attn-link-normalizers | %attn-opt --attn-schedule | %attn-opt --attn-to-tile | %attn-opt --tile-to-vector -o %t.stepwise
// RUN: cmp %t.at-once %t.stepwise
