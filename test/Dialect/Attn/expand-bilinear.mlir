// RUN: %attn-opt %s --attn-expand-bilinear | %attn-opt | FileCheck %s
// RUN: %attn-opt %s --attn-expand-bilinear=operand=k | FileCheck %s --check-prefix=K
// RUN: sed '/^.. The cheaper side/,$d' %s | %attn-opt --attn-expand-bilinear=operand=q | FileCheck %s --check-prefix=Q

!q = tensor<?x?x?x8xf32>
!k = tensor<?x?x?x5xf32>

// q and k have as many rows, and on q fewer features are left: on q. The scale is that of k's own feature; what was not written is written.
// CHECK-LABEL: attn.kernel @own
// CHECK: %[[Y:.*]] = attn.map dims(b, h, i, r, c) sum(c) (%[[X:.*]] = %q[b, h, i, c], %[[G:.*]] = %g[c, r]) {
// CHECK-NEXT: %[[P:.*]] = arith.mulf %[[X]], %[[G]] : f32
// CHECK-NEXT: attn.yield %[[P]] : f32
// CHECK-NEXT: } -> [b, h, i, r] : (tensor<?x?x?x8xf32>, tensor<8x5xf32>) -> tensor<?x?x?x5xf32>
// CHECK: attn.attend dims(b, h | i | j | r, e)
// CHECK: q = %[[Y]][b, h, i, r] k = %k[b, h, j, r] v = %v[b, h, j, e]
// CHECK-NOT: bilinear
// CHECK: scale = 0.44721359549995793
// CHECK: set = mask<%m[b, i, j]>
// CHECK: outputs o[b, h, i, e]
// K-LABEL: attn.kernel @own
// K: attn.map dims(b, h, j, c, r) sum(r) (%{{.*}} = %k[b, h, j, r], %{{.*}} = %g[c, r])
// K: attn.attend dims(b, h | i | j | c, e)
// K: q = %q[b, h, i, c] k = %{{.*}}[b, h, j, c] v = %v[b, h, j, e]
// K: scale = 0.44721359549995793
attn.kernel @own(%q: !q, %k: !k, %v: !q, %g: tensor<8x5xf32>, %m: tensor<?x?x?xi1>) -> (o: !q) {
  %o = attn.attend dims(b, h | i | j | c, r, e)
    q = %q[b, h, i, c] k = %k[b, h, j, r] v = %v[b, h, j, e]
    bilinear = %g[c, r]
    set = mask<%m[b, i, j]>
    outputs o[b, h, i, e]
    : (!q, !k, !q, tensor<8x5xf32>) -> !q
  attn.return %o : !q
}

// A group of heads shares k and g: on k, once for a group.
// CHECK-LABEL: attn.kernel @group
// CHECK: attn.map dims(h, j, c, r) sum(r) (%{{.*}} = %k[h, j, r], %{{.*}} = %g[h, r, c])
// CHECK-SAME: {
// CHECK: -> [h, j, c] : (tensor<?x?x8xbf16>, tensor<?x8x8xf32>) -> tensor<?x?x8xf32>
// CHECK: attn.attend dims(b, h | i | j | c, e)
// CHECK: q = %q[b, h, i, c] k = %{{.*}}[h floordiv 4, j, c] v = %v[h floordiv 4, j, e]
// CHECK: scale = 1.
// Q-LABEL: attn.kernel @group
// Q: attn.map dims(b, h, i, r, c) sum(c) (%{{.*}} = %q[b, h, i, c], %{{.*}} = %g[h floordiv 4, r, c])
// Q: q = %{{.*}}[b, h, i, r] k = %k[h floordiv 4, j, r] v = %v[h floordiv 4, j, e]
attn.kernel @group(%q: tensor<?x?x?x8xbf16>, %k: tensor<?x?x8xbf16>, %v: tensor<?x?x8xbf16>, %g: tensor<?x8x8xf32>) -> (o: !q) {
  %o = attn.attend dims(b, h | i | j | c, r, e)
    q = %q[b, h, i, c] k = %k[h floordiv 4, j, r] v = %v[h floordiv 4, j, e]
    bilinear = %g[h floordiv 4, r, c]
    scale = 1.0
    outputs o[b, h, i, e]
    : (tensor<?x?x?x8xbf16>, tensor<?x?x8xbf16>, tensor<?x?x8xbf16>, tensor<?x8x8xf32>) -> !q
  attn.return %o : !q
}

// A region of the operand goes into the map; that of the other one stays.
// CHECK-LABEL: attn.kernel @region
// CHECK: attn.map dims(b, h, i, r, c) sum(c) (%[[X:.*]] = %q[b, h, i, c], %[[G:.*]] = %g[c, r], h = %[[H:.*]])
// CHECK: %[[S:.*]] = attn.load %s[%[[H]]]
// CHECK: %[[T:.*]] = arith.mulf %[[X]], %[[S]]
// CHECK: arith.mulf %[[T]], %[[G]]
// CHECK: k = %k[b, h, j, r] as (
attn.kernel @region(%q: !q, %k: !k, %v: !q, %g: tensor<8x5xf32>, %s: tensor<?xf32>) -> (o: !q) {
  %o = attn.attend dims(b, h | i | j | c, r, e)
    q = %q[b, h, i, c] as (%x, h = %h) { %y = attn.load %s[%h] : tensor<?xf32> %z = arith.mulf %x, %y : f32 attn.yield %z : f32 }
    k = %k[b, h, j, r] as (%x) { %z = math.absf %x : f32 attn.yield %z : f32 }
    v = %v[b, h, j, e]
    bilinear = %g[c, r]
    outputs o[b, h, i, e]
    : (!q, !k, !q, tensor<8x5xf32>) -> !q
  attn.return %o : !q
}

// One query of a known number, and k is shared by all heads, but every key has rows of its own: on q.
// CHECK-LABEL: attn.kernel @few
// CHECK: attn.map dims(h, i, r, c) sum(c)
attn.kernel @few(%q: tensor<?x2x8xf32>, %k: tensor<?x8xf32>, %v: tensor<?x8xf32>, %g: tensor<8x8xf32>) -> (o: tensor<?x2x8xf32>) {
  %o = attn.attend dims(h | i | j | c, r, e)
    q = %q[h, i, c] k = %k[j, r] v = %v[j, e]
    bilinear = %g[c, r]
    outputs o[h, i, e]
    : (tensor<?x2x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x2x8xf32>
  attn.return %o : tensor<?x2x8xf32>
}

// The cheaper side cannot be mapped: the other one is.
// CHECK-LABEL: attn.kernel @other
// CHECK: attn.map dims(b, h, j, c, r) sum(r)
attn.kernel @other(%q: !q, %k: !k, %v: !q, %g: tensor<8x5xf32>, %s: tensor<?xf32>) -> (o: !q) {
  %o = attn.attend dims(b, h | i | j | c, r, e)
    q = %q[b, h, i, c] as (%x, h = %h) { %n = arith.addi %h, %h : index %y = attn.load %s[%n] : tensor<?xf32> %z = arith.mulf %x, %y : f32 attn.yield %z : f32 }
    k = %k[b, h, j, r] v = %v[b, h, j, e]
    bilinear = %g[c, r]
    outputs o[b, h, i, e]
    : (!q, !k, !q, tensor<8x5xf32>) -> !q
  attn.return %o : !q
}
