// RUN: %attn-opt %s | FileCheck %s
// RUN: %attn-opt %s | %attn-opt | FileCheck %s
// RUN: %attn-opt %s --emit-bytecode | %attn-opt | FileCheck %s

!t = tensor<?x?x64xf32>
!m = tensor<?x?x16xi32>
// CHECK-LABEL: attn.kernel @ids
attn.kernel @ids(%q: !t, %k: !t) -> (ids: tensor<?x?x8xi64>, far: !m) {
  // CHECK: reduce ids[n] = topk 8
  // CHECK-NEXT: reduce far[rank] = topk 16(%{{.*}}, j = %{{.*}}) {
  // CHECK: outputs ids[b, i, n], far[i, b, rank]
  %ids, %far = attn.attend dims(b | i | j | c)
    q = %q[b, i, c] k = %k[b, j, c]
    reduce ids[n] = topk 8
    reduce far[rank] = topk 16(%s, j = %j) {
      %n = arith.index_cast %j : index to i64
      %x = arith.sitofp %n : i64 to f32
      %y = arith.mulf %s, %x : f32
      attn.yield %y : f32
    }
    outputs ids[b, i, n], far[i, b, rank]
    : (!t, !t) -> (tensor<?x?x8xi64>, !m)
  attn.return %ids, %far : tensor<?x?x8xi64>, !m
}
