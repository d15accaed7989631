// RUN: %attn-opt %s --attn-pipeline-tile | FileCheck %s

// Where weights are exponentials scores are kept in units of log2.

// The factor is in the scale that the product is multiplied by,
// CHECK-LABEL: tile.program @scale
// CHECK: score {
// CHECK: arith.constant 0.72134751 : f32
// CHECK: } gauge {
// CHECK: arith.constant 0.693147182 : f32
attn.kernel @scale(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>) -> (o: tensor<?x?x?x64xf32>, lse: tensor<?x?x?xf32>) {
  %r0, %r1 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    scale = 0.5
    outputs o[b, h, i, e], lse[b, h, i]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>, tensor<?x?x?xf32>)
  attn.return %r0, %r1 : tensor<?x?x?x64xf32>, tensor<?x?x?xf32>
}

// beside a scale known at run time,
// CHECK-LABEL: tile.program @dynamic_scale
// CHECK-SAME: arg_names = ["q", "k", "v", "x", "o", "lse"]
// CHECK-NEXT: ^bb0({{.*}}, %[[X:[a-z0-9]+]]: f32, {{.*}}):
// CHECK: score {
// CHECK-NEXT: ^bb0(%[[DOT:.*]]: f32, %{{.*}}: index, %{{.*}}: index, %{{.*}}: index, %{{.*}}: index):
// CHECK-NEXT: %[[LOG2E:.*]] = arith.constant 1.44269502 : f32
// CHECK-NEXT: %[[SCALE:.*]] = arith.mulf %[[X]], %[[LOG2E]] : f32
// CHECK-NEXT: arith.mulf %[[DOT]], %[[SCALE]] : f32
attn.kernel @dynamic_scale(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>, %x: f32) -> (o: tensor<?x?x?x64xf32>, lse: tensor<?x?x?xf32>) {
  %r0, %r1 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    scale = %x
    outputs o[b, h, i, e], lse[b, h, i]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>, tensor<?x?x?xf32>)
  attn.return %r0, %r1 : tensor<?x?x?x64xf32>, tensor<?x?x?xf32>
}

// and after a score region, which is written in natural units.
// CHECK-LABEL: tile.program @score
// CHECK: score {
// CHECK-NEXT: ^bb0(%{{.*}}: f32, %{{.*}}: index, %{{.*}}: index, %{{.*}}: index, %{{.*}}: index):
// CHECK: %[[T:.*]] = math.tanh
// CHECK-NEXT: %[[LOG2E:.*]] = arith.constant 1.44269502 : f32
// CHECK-NEXT: %[[U:.*]] = arith.mulf %[[T]], %[[LOG2E]] : f32
// CHECK-NEXT: tile.yield %[[U]] : f32
// CHECK: } gauge {
attn.kernel @score(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>) -> (o: tensor<?x?x?x64xf32>, lse: tensor<?x?x?xf32>) {
  %r0, %r1 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    scale = 0.5
    score(%s) {
      %t = math.tanh %s : f32
      attn.yield %t : f32
    }
    outputs o[b, h, i, e], lse[b, h, i]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>, tensor<?x?x?xf32>)
  attn.return %r0, %r1 : tensor<?x?x?x64xf32>, tensor<?x?x?xf32>
}

// Other weights keep their units; without reference there is no gauge.
// CHECK-LABEL: tile.program @relu
// CHECK: tile.weigh dot(%{{.*}}, %{{.*}}) sums() rescale(%{{.*}}) score {
// CHECK: arith.constant 1.250000e-01 : f32
// CHECK: } gauge {
// CHECK-NEXT: } phi {
// CHECK-NEXT: ^bb0(%[[S:.*]]: f32):
// CHECK-NEXT:   arith.constant 0.000000e+00
// CHECK-NEXT:   arith.maximumf %[[S]]
// CHECK: tile.finish sums() acc %{{.*}} to
attn.normalizer @relu_sum {
  attn.pass ref = none phi(%s) {
    %zero = arith.constant 0.0 : f32
    %p = arith.maximumf %s, %zero : f32
    attn.yield %p : f32
  } sums(n = value)
  attn.finish(%n) {
    attn.yield %n : f32
  } outputs(o) empty(0.0)
}
attn.kernel @relu(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>) -> (o: tensor<?x?x?x64xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    normalize = @relu_sum
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// A weight that is no plain exponential of the difference keeps its units too.
// CHECK-LABEL: tile.program @squared
// CHECK: score {
// CHECK: arith.constant 1.250000e-01 : f32
// CHECK: phi {
// CHECK-NOT: math.exp2
// CHECK: math.exp
attn.normalizer @gaussian {
  attn.pass ref = max gauge(%a, %b) {
    %d = arith.subf %a, %b : f32
    %h = arith.addf %d, %d : f32
    %g = math.exp %h : f32
    attn.yield %g : f32
  } phi(%s, %r) {
    %d = arith.subf %s, %r : f32
    %h = arith.addf %d, %d : f32
    %p = math.exp %h : f32
    attn.yield %p : f32
  } sums(l = one, n = value)
  attn.finish(%r, %l, %n) {
    %o = arith.divf %n, %l : f32
    attn.yield %o : f32
  } outputs(o) empty(0.0)
}
attn.kernel @squared(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>) -> (o: tensor<?x?x?x64xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    normalize = @gaussian
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}
