// RUN: %attn-opt %s --split-input-file | FileCheck %s
// RUN: %attn-opt %s --split-input-file --mlir-print-op-generic | %attn-opt --split-input-file | FileCheck %s
// RUN: %attn-opt %s --split-input-file --verify-roundtrip -o %t

// Membership in a captured list, in sets and in scores.

!t = tensor<?x?x?x64xf32>
// CHECK-LABEL: attn.kernel @in_set(
attn.kernel @in_set(%q: !t, %k: !t, %v: !t, %offsets: tensor<?x?xi32>, %columns: tensor<?xi64>) -> (o: !t) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = where(h = %h, i = %i, j = %j) {
      %d = arith.subi %i, %j : index
      // CHECK: %[[P:.*]] = attn.member %{{.*}} in %offsets[%h] : tensor<?x?xi32>
      %p = attn.member %d in %offsets[%h] : tensor<?x?xi32>
      %two = arith.constant 2 : index
      // CHECK: attn.member %j in %columns[] from %{{.*}} to %i : tensor<?xi64>
      %r = attn.member %j in %columns[] from %two to %i : tensor<?xi64>
      // CHECK: attn.member %j in %columns[] {sorted, unique} : tensor<?xi64>
      %u = attn.member %j in %columns[] {sorted, unique} : tensor<?xi64>
      %pr = arith.ori %p, %r : i1
      %pru = arith.ori %pr, %u : i1
      attn.yield %pru : i1
    }
    outputs o[b, h, i, e]
    : (!t, !t, !t) -> (!t)
  attn.return %r0 : !t
}

// CHECK-LABEL: attn.kernel @in_score(
attn.kernel @in_score(%q: !t, %k: !t, %v: !t, %special: tensor<?x?xi32>) -> (o: !t) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    score(%s, b = %b, j = %j) {
      // CHECK: attn.member %j in %special[%b] : tensor<?x?xi32>
      %p = attn.member %j in %special[%b] : tensor<?x?xi32>
      %one = arith.constant 1.0 : f32
      %t = arith.addf %s, %one : f32
      %x = arith.select %p, %t, %s : f32
      attn.yield %x : f32
    }
    outputs o[b, h, i, e]
    : (!t, !t, !t) -> (!t)
  attn.return %r0 : !t
}
