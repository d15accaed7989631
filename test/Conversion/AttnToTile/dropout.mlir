// RUN: %attn-opt %s --attn-pipeline-tile | FileCheck %s

// What a weight is multiplied by before it meets the value: 0 where the random number is below the probability, 1 / (1 - probability) elsewhere.

// CHECK-LABEL: tile.program @dropout
// CHECK: tile.weigh
// CHECK: factor
// CHECK: %[[U:.*]] = attn.random %{{.*}}[%{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}] : i64 -> f32
// CHECK: %[[KEEP:.*]] = arith.cmpf oge, %[[U]], %[[P:.*]] : f32
// CHECK: %[[REST:.*]] = arith.subf %{{.*}}, %[[P]] : f32
// CHECK: %[[INVERSE:.*]] = arith.divf %{{.*}}, %[[REST]] : f32
// CHECK: %[[FACTOR:.*]] = arith.select %[[KEEP]], %[[INVERSE]], %{{.*}} : f32
// CHECK: tile.yield %[[FACTOR]] : f32
attn.kernel @dropout(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>, %p: f32) -> (o: tensor<?x?x?x64xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    dropout(seed = 1, probability = %p)
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}
