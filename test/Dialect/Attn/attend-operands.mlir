// RUN: %attn-opt %s --split-input-file | FileCheck %s
// RUN: %attn-opt %s --split-input-file --mlir-print-op-generic | %attn-opt --split-input-file | FileCheck %s
// RUN: %attn-opt %s --split-input-file --verify-roundtrip -o %t

// What an attend reads: parts, slices, regions, a bilinear tensor, a dot region, extents of features.

!lat = tensor<?x?x576xbf16>
!o = tensor<?x?x?x512xf32>
// CHECK-LABEL: attn.kernel @parts(
// CHECK: attn.attend dims(b, h | i | j | c = 512, r = 64, e = 512)
// CHECK-NEXT: q = %qn[b, h, i, c] | %qr[b, h, i, r]
// CHECK-NEXT: k = %lat[b, j, c] | %lat[b, j, r + 512]
// CHECK-NEXT: v = %lat[b, j, e]
// CHECK-NEXT: outputs o[b, h, i, e]
// CHECK-NEXT: : (tensor<?x?x?x512xf32>, tensor<?x?x576xbf16>, tensor<?x?x576xbf16>, tensor<?x?x?x64xf32>, tensor<?x?x576xbf16>) -> tensor<?x?x?x512xf32>
attn.kernel @parts(%qn: !o, %qr: tensor<?x?x?x64xf32>, %lat: !lat) -> (o: !o) {
  %o = attn.attend dims(b, h | i | j | c = 512, r = 64, e = 512)
    q = %qn[b, h, i, c] | %qr[b, h, i, r]
    k = %lat[b, j, c] | %lat[b, j, r + 512]
    v = %lat[b, j, e]
    outputs o[b, h, i, e]
    : (!o, !lat, !lat, tensor<?x?x?x64xf32>, !lat) -> (!o)
  attn.return %o : !o
}

// -----
!t = tensor<?x?x?x64xf32>
!t8 = tensor<?x?x?x64xi8>
// Indices of a region may be left out and stand in any order; names of dimensions stay.
// CHECK-LABEL: attn.kernel @regions(
// CHECK: dims(b, h | i | j | c, e)
// CHECK-NEXT: q = %q[b, h, i, c] as (%[[X:.*]]) {
// CHECK-NEXT: arith.mulf %[[X]], %[[X]] : f32
// CHECK: k = %k8[b, h, j, c] as (%[[X:.*]] : i8, b = %[[B:.*]], h = %[[H:.*]], j = %[[J:.*]], c = %[[C:.*]]) {
// CHECK: attn.load %scale[%[[B]], %[[H]], %[[J]], %[[C]]]
// CHECK: v = %v[b, h, j, e] as (%{{.*}}, h = %{{.*}}, e = %{{.*}}) {
// CHECK: outputs o[b, h, i, e]
attn.kernel @regions(%q: !t, %k8: !t8, %v: !t, %scale: !t) -> (o: !t) {
  %o = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] as (%x) {
      %y = arith.mulf %x, %x : f32
      attn.yield %y : f32
    }
    k = %k8[b, h, j, c] as (%x : i8, c = %c, b = %b, j = %j, h = %h) {
      %f = arith.sitofp %x : i8 to f32
      %s = attn.load %scale[%b, %h, %j, %c] : !t
      %y = arith.mulf %f, %s : f32
      attn.yield %y : f32
    }
    v = %v[b, h, j, e] as (%x, e = %e, h = %h) {
      %n = arith.addi %e, %h : index
      %m = arith.index_cast %n : index to i32
      %f = arith.sitofp %m : i32 to f32
      %y = arith.addf %x, %f : f32
      attn.yield %y : f32
    }
    outputs o[b, h, i, e]
    : (!t, !t8, !t) -> (!t)
  attn.return %o : !t
}

// -----
!t = tensor<?x?x?x64xf32>
// Two in a byte; the other features are those of the tensors.
// CHECK-LABEL: attn.kernel @packed(
// CHECK: dims(b, h | i | j | c = 64, e)
// CHECK: k = %k4[b, h, j, c floordiv 2] as (%{{.*}} : i8, c = %{{.*}}) {
attn.kernel @packed(%q: !t, %k4: tensor<?x?x?x32xi8>, %v: !t) -> (o: !t) {
  %o = attn.attend dims(b, h | i | j | c = 64, e)
    q = %q[b, h, i, c]
    k = %k4[b, h, j, c floordiv 2] as (%x : i8, c = %c) {
      %two = arith.constant 2 : index
      %four = arith.constant 4 : i32
      %odd = arith.remui %c, %two : index
      %n = arith.index_cast %odd : index to i32
      %shift = arith.muli %n, %four : i32
      %w = arith.extui %x : i8 to i32
      %down = arith.shrui %w, %shift : i32
      %mask = arith.constant 15 : i32
      %four_bits = arith.andi %down, %mask : i32
      %f = arith.sitofp %four_bits : i32 to f32
      attn.yield %f : f32
    }
    v = %v[b, h, j, e]
    outputs o[b, h, i, e]
    : (!t, tensor<?x?x?x32xi8>, !t) -> (!t)
  attn.return %o : !t
}

// -----
!q = tensor<?x?x?x64xf32>
!pool = tensor<?x16x?x64xf32>
// A table of pages: neither operand has the feature, and the token only as a page.
// CHECK-LABEL: attn.kernel @paged(
// CHECK: dims(b, h | i | j | c = 64, e = 64)
// CHECK-NEXT: q = %q[b, h, i, c]
// CHECK-NEXT: k = %table[b, j floordiv 16] as (%[[P:.*]] : i32, h = %[[H:.*]], j = %{{.*}}, c = %[[C:.*]]) {
// CHECK: v = %table[b, j floordiv 16] as (%{{.*}} : i32, h = %{{.*}}, j = %{{.*}}, e = %{{.*}}) {
// CHECK: : (tensor<?x?x?x64xf32>, tensor<?x?xi32>, tensor<?x?xi32>) -> tensor<?x?x?x64xf32>
attn.kernel @paged(%q: !q, %table: tensor<?x?xi32>, %pool: !pool, %vpool: !pool) -> (o: !q) {
  %o = attn.attend dims(b, h | i | j | c = 64, e = 64)
    q = %q[b, h, i, c]
    k = %table[b, j floordiv 16] as (%page : i32, h = %h, j = %j, c = %c) {
      %size = arith.constant 16 : index
      %n = arith.remui %j, %size : index
      %p = arith.index_cast %page : i32 to index
      %y = attn.load %pool[%p, %n, %h, %c] : !pool
      attn.yield %y : f32
    }
    v = %table[b, j floordiv 16] as (%page : i32, h = %h, j = %j, e = %e) {
      %size = arith.constant 16 : index
      %n = arith.remui %j, %size : index
      %p = arith.index_cast %page : i32 to index
      %y = attn.load %vpool[%p, %n, %h, %e] : !pool
      attn.yield %y : f32
    }
    outputs o[b, h, i, e]
    : (!q, tensor<?x?xi32>, tensor<?x?xi32>) -> (!q)
  attn.return %o : !q
}

// -----
!q = tensor<?x?x?x32xf32>
!k = tensor<?x?x?x48xf32>
// CHECK-LABEL: attn.kernel @bilinear(
// CHECK: dims(b, h | i | j | c, r, e)
// CHECK-NEXT: q = %q[b, h, i, c]
// CHECK-SAME: k = %k[b, h, j, r]
// CHECK-SAME: v = %v[b, h, j, e]
// CHECK-NEXT: bilinear = %g[h, c, r]
// CHECK: : (tensor<?x?x?x32xf32>, tensor<?x?x?x48xf32>, tensor<?x?x?x48xf32>, tensor<?x32x48xf32>) -> tensor<?x?x?x48xf32>
attn.kernel @bilinear(%q: !q, %k: !k, %v: !k, %g: tensor<?x32x48xf32>) -> (o: !k) {
  %o = attn.attend dims(b, h | i | j | c, r, e)
    q = %q[b, h, i, c] k = %k[b, h, j, r] v = %v[b, h, j, e]
    scale = 0.125
    bilinear = %g[h, c, r]
    outputs o[b, h, i, e]
    : (!q, !k, !k, tensor<?x32x48xf32>) -> (!k)
  attn.return %o : !k
}

// -----
!t = tensor<?x?x?x64xf64>
// Clauses of other kinds stand beside; numbers are f64 with f64.
// CHECK-LABEL: attn.kernel @additive(
// CHECK: q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
// CHECK-NEXT: dot(%[[X:.*]] : f64, %[[Y:.*]] : f64, h = %[[H:.*]], c = %[[C:.*]]) {
// CHECK-NEXT: arith.addf %[[X]], %[[Y]]
// CHECK: attn.load %w[%[[H]], %[[C]]]
// CHECK: class(j = %
// CHECK: reduce m = max
// CHECK: columns mass = sum
attn.kernel @additive(%q: !t, %k: !t, %v: !t, %w: tensor<?x64xf64>) -> (o: !t, m: tensor<?x?x?xf64>, mass: tensor<?x?x?xf64>) {
  %o, %m, %mass = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    dot(%x : f64, %y : f64, c = %c, h = %h) {
      %s = arith.addf %x, %y : f64
      %t = math.tanh %s : f64
      %u = attn.load %w[%h, %c] : tensor<?x64xf64>
      %z = arith.mulf %t, %u : f64
      attn.yield %z : f64
    }
    class(j = %j) { attn.yield %j : index }
    reduce m = max
    columns mass = sum(%weight : f64, %s : f64) { attn.yield %weight : f64 }
    outputs o[b, h, i, e], m[b, h, i], mass[b, h, j]
    : (!t, !t, !t) -> (!t, tensor<?x?x?xf64>, tensor<?x?x?xf64>)
  attn.return %o, %m, %mass : !t, tensor<?x?x?xf64>, tensor<?x?x?xf64>
}

// -----
!t = tensor<?x?x?x64xf32>
!r = tensor<?x?x?x32xf32>
// Regions of further parts, and without values.
// CHECK-LABEL: attn.kernel @rows_alone(
// CHECK: dims(b, h | i | j | c, r)
// CHECK-NEXT: q = %q[b, h, i, c] | %qr[b, h, i, r] as (%{{.*}}, i = %{{.*}}, r = %{{.*}}) {
// CHECK: k = %k[b, h, j, c] as (%{{.*}}, j = %{{.*}}, c = %{{.*}}) {
// CHECK: } | %kr[b, h, j, r]
// CHECK-NEXT: outputs lse[b, h, i]
attn.kernel @rows_alone(%q: !t, %qr: !r, %k: !t, %kr: !r, %f: tensor<?x?xf32>) -> (lse: tensor<?x?x?xf32>) {
  %lse = attn.attend dims(b, h | i | j | c, r)
    q = %q[b, h, i, c] | %qr[b, h, i, r] as (%x, r = %r, i = %i) {
      %a = attn.load %f[%i, %r] : tensor<?x?xf32>
      %y = arith.mulf %x, %a : f32
      attn.yield %y : f32
    }
    k = %k[b, h, j, c] as (%x, j = %j, c = %c) {
      %a = attn.load %f[%j, %c] : tensor<?x?xf32>
      %y = arith.mulf %x, %a : f32
      attn.yield %y : f32
    } | %kr[b, h, j, r]
    outputs lse[b, h, i]
    : (!t, !t, !r, !r) -> (tensor<?x?x?xf32>)
  attn.return %lse : tensor<?x?x?xf32>
}

// -----
!t = tensor<?x?x?x64xf32>
!t8 = tensor<?x?x?x64xf8E4M3FN>
// Types of their own.
// CHECK-LABEL: attn.kernel @types(
// CHECK: : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x?x64xf8E5M2>) -> tensor<?x?x?x64xf32>
attn.kernel @types(%q: !t, %k: !t8, %v: tensor<?x?x?x64xf8E5M2>) -> (o: !t) {
  %o = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    outputs o[b, h, i, e]
    : (!t, !t8, tensor<?x?x?x64xf8E5M2>) -> (!t)
  attn.return %o : !t
}
