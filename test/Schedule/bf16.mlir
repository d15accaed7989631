// RUN: %attn-opt %s '--attn-pipeline-schedule=target=x86-64-v4-bf16' | FileCheck %s
// RUN: %attn-opt %s '--attn-pipeline-schedule=target=x86-64-v4' | FileCheck %s --check-prefix=LOWER
// RUN: %attn-opt %s '--attn-pipeline-vector=target=x86-64-v4-bf16' | FileCheck %s --check-prefix=CODE
// RUN: %attn-opt %s '--attn-pipeline-schedule=target=x86-64-v4-bf16' | FileCheck %s --check-prefix=COARSE

// Which products take bf16 operands as they are: not those of variants that read keys where they lie.

// LOWER-NOT: bf16_

!t = tensor<?x?x?x64xbf16>
// Weights of fewer bits where nothing but outputs in bf16 shows them: not where there is an lse.
// COARSE-LABEL: attn.kernel @both(
// COARSE-NOT: coarse_weights
// CHECK-LABEL: attn.kernel @both(
// CHECK: few = 4 : i64, name = "few"
// CHECK-SAME: {bf16_scores, bf16_values, {{[^}]*}}name = "split"{{[^}]*}}}, {bf16_scores, bf16_values, {{[^}]*}}name = "stream"

// Keys: two features in a word, words of 16 keys transposed; a tiny element is noted behind the panel.
// CODE-LABEL: llvm.func internal @attn_both_v2_block(
// CODE: llvm.load {{.*}} -> vector<32xi16>
// CODE: arith.cmpi ult, {{.*}} : vector<32xi16>
// Scores: where nothing is tiny 28 sums of both halves, else of the odd and then the even one.
// CODE-LABEL: llvm.func internal @attn_both_v2_main(
// CODE: vector.fma
// CODE: scf.yield
// CODE: llvm.call_intrinsic "llvm.x86.avx512bf16.dpbf16ps.512"
// CODE: llvm.call_intrinsic "llvm.x86.avx512bf16.cvtne2ps2bf16.512"
// CODE: llvm.call_intrinsic "llvm.x86.avx512bf16.dpbf16ps.512"
attn.kernel @both(%q: !t, %k: !t, %v: !t) -> (o: !t, lse: tensor<?x?x?xf32>) {
  %o, %lse = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    outputs o[b, h, i, e], lse[b, h, i] : (!t, !t, !t) -> (!t, tensor<?x?x?xf32>)
  attn.return %o, %lse : !t, tensor<?x?x?xf32>
}

// An output of 32 bits takes weights of 32 bits.
// CHECK-LABEL: attn.kernel @wide(
// CHECK: {bf16_scores, block_keys
!w = tensor<?x?x?x64xf32>
attn.kernel @wide(%q: !t, %k: !t, %v: !t) -> (o: !w) {
  %o = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    outputs o[b, h, i, e] : (!t, !t, !t) -> !w
  attn.return %o : !w
}

// Values alone: keys pass through a region.
// CHECK-LABEL: attn.kernel @region(
// COARSE-LABEL: attn.kernel @region(
// COARSE: bf16_values{{.*}}coarse_weights
// CHECK: {bf16_values, block_keys
attn.kernel @region(%q: !t, %k: !t, %v: !t) -> (o: !t) {
  %o = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c]
    k = %k[b, h, j, c] as (%x : f32) { %y = arith.addf %x, %x : f32 attn.yield %y : f32 }
    v = %v[b, h, j, e]
    outputs o[b, h, i, e] : (!t, !t, !t) -> !t
  attn.return %o : !t
}

// A dot region, and weights that are no exponentials.
// CHECK-LABEL: attn.kernel @neither(
// CHECK-NOT: bf16_
attn.kernel @neither(%q: !t, %k: !t, %v: !t) -> (o: !t) {
  %o = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    dot(%x, %y) { %d = arith.subf %x, %y : f32 %z = math.absf %d : f32 attn.yield %z : f32 }
    normalize = @sigmoid(0.0)
    outputs o[b, h, i, e] : (!t, !t, !t) -> !t
  attn.return %o : !t
}
