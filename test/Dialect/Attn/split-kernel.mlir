// RUN: %attn-opt %s --attn-split-kernel | FileCheck %s
// RUN: %attn-opt %s --attn-split-kernel | %attn-opt --attn-split-kernel | FileCheck %s
// RUN: %attn-opt %s --attn-split-kernel | %attn-opt --verify-roundtrip -o %t

!t = tensor<?x?x64xf32>
!l = tensor<?x?xf32>

// A kernel of one step is left alone.

// CHECK: attn.kernel @one(
// CHECK-NEXT: attn.map
attn.kernel @one(%xs: !l) -> (y: !l) {
  %y = attn.map dims(h, i) (%x = %xs[h, i]) {
    attn.yield %x : f32
  } -> [h, i] : (!l) -> !l
  attn.return %y : !l
}

// A step takes what it uses, in its regions too: arguments with their facts, then results of earlier steps. Results that are not returned get names.

// CHECK: attn.kernel @k__0_0(%q: tensor<?x?x64xf32>, %seg: tensor<?xi32> {attn.sorted}, %w: index) -> (t0: tensor<?x?x64xf32>, l: tensor<?x?xf32>) attributes {sym_visibility = "private"} {
// CHECK-NEXT: attn.attend
// CHECK: attn.kernel @k__1(%g: tensor<?xf32>, %lse: tensor<?x?xf32>, %t0: tensor<?x?x64xf32>) -> (y: tensor<?x64xf32>) attributes {sym_visibility = "private"} {
// CHECK-NEXT: attn.map
// CHECK: attn.return
// CHECK: attn.kernel @k(
// CHECK-NEXT: %[[A:.*]]:2 = attn.call @k__0_0(%q, %seg, %w) :
// CHECK-NEXT: %[[B:.*]] = attn.call @k__1(%g, %{{.*}}, %[[A]]#0) :
// CHECK-NEXT: attn.return %[[B]], %[[A]]#1 :
attn.kernel @k(%q: !t, %g: tensor<?xf32>, %seg: tensor<?xi32> {attn.sorted}, %lse: !l, %w: index, %unused: f32) -> (y: tensor<?x64xf32>, l: !l) {
  %o, %m = attn.attend dims(h | i | j | c)
    q = %q[h, i, c] k = %q[h, j, c] v = %q[h, j, c]
    set = same_segment<%seg> and window<top_left, left = %w>
    outputs o[h, i, c], lse[h, i] : (!t, !t, !t) -> (!t, !l)
  %y = attn.map dims(h, i, e) sum(h) (%x = %o[h, i, e], h = %h, i = %i) {
    %s = attn.load %lse[%h, %i] : !l
    %b = attn.load %g[%h] : tensor<?xf32>
    %z = arith.mulf %x, %s : f32
    %u = arith.addf %z, %b : f32
    attn.yield %u : f32
  } -> [i, e] : (!t) -> tensor<?x64xf32>
  attn.return %y, %m : tensor<?x64xf32>, !l
}

// A name that there is already is not taken.

attn.kernel @k__0(%xs: !l) -> (y: !l) {
  %y = attn.map dims(h, i) (%x = %xs[h, i]) {
    attn.yield %x : f32
  } -> [h, i] : (!l) -> !l
  attn.return %y : !l
}

// A kernel that returns some of its step's results, in another order, calls it.

// CHECK: attn.kernel @some__0(%q: {{.*}}) -> (o: {{.*}}, t0: {{.*}})
// CHECK: attn.kernel @some(%q: {{.*}}) -> (o: {{.*}}) {
// CHECK-NEXT: %[[C:.*]]:2 = attn.call @some__0(%q)
// CHECK-NEXT: attn.return %[[C]]#0
attn.kernel @some(%q: !t) -> (o: !t) {
  %o, %l = attn.attend dims(h | i | j | c) q = %q[h, i, c] k = %q[h, j, c] v = %q[h, j, c]
    outputs o[h, i, c], lse[h, i] : (!t, !t, !t) -> (!t, !l)
  attn.return %o : !t
}
