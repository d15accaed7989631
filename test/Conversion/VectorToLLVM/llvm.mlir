// RUN: %attn-opt %s --attn-pipeline-llvm | FileCheck %s

// The LLVM dialect alone; transcendental functions are polynomials, for kernels need libc alone.

// CHECK-NOT: {{ (scf|cf|arith|math|vector|func|tile|attn)[.]}}
// CHECK-NOT: builtin.unrealized_conversion_cast
// CHECK: llvm.func @attn_scored(
// CHECK-NOT: {{ (scf|cf|arith|math|vector|func|tile|attn)[.]}}
attn.kernel @scored(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>, %cap: f32, %m: tensor<?x?xbf16>) -> (o: tensor<?x?x?x64xf32>, lse: tensor<?x?x?xf32>) {
  %r0, %r1 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = mask<%m[b, j]> and causal<bottom_right>
    score(%s, i = %i, j = %j) {
      %x = arith.divf %s, %cap : f32
      %y = math.tanh %x : f32
      %z = math.exp %y : f32
      %u = math.log1p %z : f32
      %d = arith.ceildivsi %i, %j : index
      %n = arith.index_cast %d : index to i64
      %g = arith.sitofp %n : i64 to f32
      %t = arith.addf %u, %g : f32
      attn.yield %t : f32
    }
    outputs o[b, h, i, e], lse[b, h, i]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>, tensor<?x?x?xf32>)
  attn.return %r0, %r1 : tensor<?x?x?x64xf32>, tensor<?x?x?xf32>
}
