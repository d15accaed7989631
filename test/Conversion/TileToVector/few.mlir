// RUN: %attn-opt %s --attn-pipeline-vector | FileCheck %s

// Rows are few: codes are what queries multiply, and what weights do; the scale of a token comes once a key. That it
// is in a product with what the feature changes is all that is looked at, on whichever side it stands.
// CHECK-LABEL: llvm.func internal @attn_scaled_v0_main
// CHECK: llvm.intr.prefetch
// CHECK: %[[KEY:.*]] = arith.sitofp %{{.*}} : vector<8xi32> to vector<8xf32>
// CHECK-NOT: arith.mulf %{{.*}}, %[[KEY]]
// CHECK: vector.fma %{{.*}}, %[[KEY]],
// CHECK: arith.mulf %{{.*}} : vector<8xf32>
// Where sums are not finite the scale multiplies elements.
// CHECK: arith.cmpf uno
// CHECK: scf.if
// CHECK: %[[AGAIN:.*]] = arith.sitofp %{{.*}} : vector<8xi32> to vector<8xf32>
// CHECK: arith.mulf %{{.*}}, %[[AGAIN]] : vector<8xf32>
// CHECK: scf.yield
// CHECK: llvm.func internal @attn_scaled_v0_raise0
!t = tensor<?x?x?x16xf32>
!k = tensor<?x?x?x16xi8>
!s = tensor<?x?x?xf32>
attn.kernel @scaled(%q: !t, %k: !k, %v: !k, %ks: !s, %vs: !s) -> (o: !t) {
  %o = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c]
    k = %k[b, h, j, c] as (%x : i8, b = %b, h = %h, j = %j) { %f = arith.sitofp %x : i8 to f32  %s = attn.load %ks[%b, %h, %j] : !s  %y = arith.mulf %s, %f : f32  attn.yield %y : f32 }
    v = %v[b, h, j, e] as (%x : i8, b = %b, h = %h, j = %j) { %f = arith.sitofp %x : i8 to f32  %s = attn.load %vs[%b, %h, %j] : !s  %y = arith.mulf %f, %s : f32  attn.yield %y : f32 }
    outputs o[b, h, i, e] : (!t, !k, !k) -> !t
  attn.return %o : !t
}

// A scale by the feature is no factor of a token; a product that is only added to something is one operation with it.
// CHECK-LABEL: llvm.func internal @attn_offset_v0_main
// CHECK: %[[CODE:.*]] = arith.sitofp %{{.*}} : vector<8xi32> to vector<8xf32>
// CHECK-NOT: arith.mulf %[[CODE]]
// CHECK: vector.fma %[[CODE]], %{{.*}}, %{{.*}} : vector<8xf32>
// CHECK: llvm.func internal @attn_offset_v0_raise0
attn.kernel @offset(%q: !t, %k: !k, %v: !t, %ks: tensor<16xf32>, %kz: !s) -> (o: !t) {
  %o = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c]
    k = %k[b, h, j, c] as (%x : i8, b = %b, h = %h, j = %j, c = %c) {
      %f = arith.sitofp %x : i8 to f32  %s = attn.load %ks[%c] : tensor<16xf32>  %z = attn.load %kz[%b, %h, %j] : !s
      %m = arith.mulf %f, %s : f32  %y = arith.addf %m, %z : f32  attn.yield %y : f32 }
    v = %v[b, h, j, e]
    outputs o[b, h, i, e] : (!t, !k, !t) -> !t
  attn.return %o : !t
}

// Two bf16 elements are a word: the even ones are shifted, the odd ones masked, and nothing is shuffled before the sums
// of values are there.
// CHECK-LABEL: llvm.func internal @attn_halves_v0_main
// CHECK: %[[WORDS:.*]] = vector.bitcast %{{.*}} : vector<16xi16> to vector<8xi32>
// CHECK: %[[EVEN:.*]] = arith.shli %[[WORDS]], %{{.*}} : vector<8xi32>
// CHECK: vector.bitcast %[[EVEN]] : vector<8xi32> to vector<8xf32>
// CHECK: %[[UPPER:.*]] = arith.constant dense<-65536> : vector<8xi32>
// CHECK: %[[ODD:.*]] = arith.andi %{{.*}}, %[[UPPER]] : vector<8xi32>
// CHECK: vector.bitcast %[[ODD]] : vector<8xi32> to vector<8xf32>
// CHECK-NOT: arith.extui %{{.*}} : vector<8xi16>
// CHECK: llvm.func internal @attn_halves_v0_raise0
!h = tensor<?x?x?x64xbf16>
attn.kernel @halves(%q: !h, %k: !h, %v: !h) -> (o: !h) {
  %o = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    outputs o[b, h, i, e] : (!h, !h, !h) -> !h
  attn.return %o : !h
}

// A key's four lines are asked for twelve keys ahead: three quarters of a page.
// CHECK-LABEL: llvm.func internal @attn_lines_v0_main
// CHECK: %{{.*}} = arith.constant 12 : i64
// CHECK: llvm.intr.prefetch
// CHECK: llvm.getelementptr %{{.*}}[64]
// CHECK-NEXT: llvm.intr.prefetch
// CHECK-NEXT: llvm.getelementptr %{{.*}}[128]
// CHECK-NEXT: llvm.intr.prefetch
// CHECK-NEXT: llvm.getelementptr %{{.*}}[192]
// CHECK-NEXT: llvm.intr.prefetch
// CHECK: llvm.func internal @attn_lines_v0_raise0
!f = tensor<?x?x?x64xf32>
attn.kernel @lines(%q: !f, %k: !f, %v: !f) -> (o: !f) {
  %o = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    outputs o[b, h, i, e] : (!f, !f, !f) -> !f
  attn.return %o : !f
}

// By turns, of several rows too: values are asked for, keys of the next run multiplied meanwhile; then the next turn's
// keys are, and values added. Nothing may change that order. A key's values are met by all rows at once.
// CHECK-LABEL: llvm.func internal @attn_shared_v1_main
// CHECK: llvm.fence syncscope("singlethread")
// CHECK-COUNT-4: llvm.intr.prefetch
// CHECK-NOT: vector.fma
// CHECK: llvm.fence syncscope("singlethread")
// CHECK-COUNT-16: vector.fma
// CHECK: llvm.fence syncscope("singlethread")
// CHECK-COUNT-4: llvm.intr.prefetch
// CHECK-NOT: vector.fma
// CHECK: llvm.fence syncscope("singlethread")
// CHECK: %[[VALUE:.*]] = llvm.load %{{.*}} : !llvm.ptr -> vector<8xf32>
// CHECK-COUNT-2: vector.fma %{{.*}}, %[[VALUE]],
// CHECK: llvm.func internal @attn_shared_v1_raise0
!d = tensor<?x?x?x32xf32>
attn.kernel @shared(%q: !d, %k: !d, %v: !d) -> (o: !d) {
  %o = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h floordiv 2, j, c] v = %v[b, h floordiv 2, j, e]
    outputs o[b, h, i, e] : (!d, !d, !d) -> !d
  attn.return %o : !d
}
