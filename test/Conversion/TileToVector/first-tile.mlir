// RUN: %attn-opt %s --attn-pipeline-vector | FileCheck %s

// Products of a microtile with rows that have no reference yet are kept, and the rare path makes their scores of them
// with the factor that it is given; in the hot path there is one test.

// CHECK-LABEL: llvm.func internal @attn_scaled_v0_raise0(%arg0: !llvm.ptr, %arg1: i64, %arg2: i64, %arg3: i64, %arg4: f32) -> i1
// CHECK: vector.broadcast %arg4 : f32 to vector<8xf32>
// CHECK: vector.fma
attn.kernel @scaled(%q: tensor<?x?x64xf32>, %k: tensor<?x?x64xf32>, %v: tensor<?x?x64xf32>) -> (o: tensor<?x?x64xf32>) {
  %o = attn.attend dims(h | i | j | c, e)
    q = %q[h, i, c] k = %k[h, j, c] v = %v[h, j, e]
    outputs o[h, i, e] : (tensor<?x?x64xf32>, tensor<?x?x64xf32>, tensor<?x?x64xf32>) -> tensor<?x?x64xf32>
  attn.return %o : tensor<?x?x64xf32>
}
