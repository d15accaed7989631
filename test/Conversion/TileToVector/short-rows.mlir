// RUN: %attn-opt %s --attn-pipeline-vector | FileCheck %s

// A row of two sums: both at once, one by one in lanes that are all the same, nothing gathered.
// CHECK-LABEL: llvm.func internal @attn_short_v0_map
// CHECK: scf.for {{.*}} iter_args({{.*}}) -> (vector<8xf32>, vector<8xf32>)
// CHECK-NOT: vector<8xi64>
// CHECK-COUNT-2: vector.fma
// CHECK: scf.yield %{{.*}}, %{{.*}} : vector<8xf32>, vector<8xf32>
// CHECK-NOT: vector<8xi64>
// CHECK: llvm.func internal @attn_short_v0_sizes
attn.kernel @short(%x: tensor<?x64xf32>, %w: tensor<64x2xf32>) -> (y: tensor<?x2xf32>) {
  %y = attn.map dims(b, r, c) sum(c) (%u = %x[b, c], %v = %w[c, r]) { %m = arith.mulf %u, %v : f32  attn.yield %m : f32 } -> [b, r]
    : (tensor<?x64xf32>, tensor<64x2xf32>) -> tensor<?x2xf32>
  attn.return %y : tensor<?x2xf32>
}
