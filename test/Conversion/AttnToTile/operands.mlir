// RUN: %attn-opt %s --attn-pipeline-tile | FileCheck %s
// RUN: %attn-opt %s --attn-pipeline-tile | %attn-opt --verify-roundtrip | FileCheck %s

// Parts stand side by side: one contraction of the sum of their extents. Keys and values are slices of one latent.
// CHECK-DAG: #[[LATENT:.*]] = affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d0, d3, d4)>
// CHECK-DAG: #[[ROPED:.*]] = affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d0, d3, d5 + 512)>
// CHECK-DAG: #[[VALUE:.*]] = affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d0, d3, d6)>
// CHECK-LABEL: tile.program @parts
// CHECK-SAME: features = array<i64: 576, 512>
// Heads share the latent.
// CHECK-SAME: share = array<i64: 1, 0>
// CHECK-NEXT: ^bb0(%[[QN:.*]]: tensor<?x?x?x512xf32>, %[[QR:.*]]: tensor<?x?x?x64xf32>, %[[LAT:.*]]: tensor<?x?x576xbf16>
// CHECK: tile.pack %[[LAT]], %[[LAT]] by [#[[LATENT]], #[[ROPED]]] extents [512, 64] : tensor<?x?x576xbf16>, tensor<?x?x576xbf16> -> <576, 16,
// CHECK: tile.pack %[[LAT]] by [#[[VALUE]]] : tensor<?x?x576xbf16> -> <512, 16,
// CHECK: tile.load %[[QN]], %[[QR]] by [#{{.*}}, #{{.*}}] extents [512, 64] : {{.*}} -> <[{{.*}}, 576] x f32>
// 1 / sqrt(576) log2(e)
// CHECK: arith.constant 0.0601122
!lat = tensor<?x?x576xbf16>
!o = tensor<?x?x?x512xf32>
attn.kernel @parts(%qn: !o, %qr: tensor<?x?x?x64xf32>, %lat: !lat) -> (o: !o) {
  %o = attn.attend dims(b, h | i | j | c = 512, r = 64, e = 512)
    q = %qn[b, h, i, c] | %qr[b, h, i, r]
    k = %lat[b, j, c] | %lat[b, j, r + 512]
    v = %lat[b, j, e]
    outputs o[b, h, i, e]
    : (!o, !lat, !lat, tensor<?x?x?x64xf32>, !lat) -> (!o)
  attn.return %o : !o
}

// What elements pass through goes along, with the program's arguments in the place of the kernel's. The scale of a key
// is read by bare indices: no key can be absent.
// CHECK-LABEL: tile.program @scaled
// CHECK-NEXT: ^bb0(%{{.*}}: tensor<?x?x?x64xf32>, %[[K8:.*]]: tensor<?x?x?x64xi8>, %{{.*}}: tensor<?x?x?x64xf32>, %[[SCALE:.*]]: tensor<?x?x?xf32>,
// CHECK: tile.pack %[[K8]] by [#{{.*}}] through {
// CHECK-NEXT: ^bb0(%[[X:.*]]: i8, %[[B:.*]]: index, %[[H:.*]]: index, %[[J:.*]]: index, %{{.*}}: index):
// CHECK-NEXT: %[[F:.*]] = arith.sitofp %[[X]] : i8 to f32
// CHECK-NEXT: %[[S:.*]] = attn.load %[[SCALE]][%[[B]], %[[H]], %[[J]]]
// CHECK-NEXT: %[[Y:.*]] = arith.mulf %[[F]], %[[S]] : f32
// CHECK-NEXT: tile.yield %[[Y]] : f32
// CHECK-NEXT: } : tensor<?x?x?x64xi8> -> <64, 16, 256, true, f32>
// CHECK: tile.load %{{.*}} by [#{{.*}}] : tensor<?x?x?x64xf32>
!t = tensor<?x?x?x64xf32>
attn.kernel @scaled(%q: !t, %k: tensor<?x?x?x64xi8>, %v: !t, %scale: tensor<?x?x?xf32>) -> (o: !t) {
  %o = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c]
    k = %k[b, h, j, c] as (%x : i8, b = %b, h = %h, j = %j) {
      %f = arith.sitofp %x : i8 to f32
      %s = attn.load %scale[%b, %h, %j] : tensor<?x?x?xf32>
      %y = arith.mulf %f, %s : f32
      attn.yield %y : f32
    }
    v = %v[b, h, j, e]
    outputs o[b, h, i, e]
    : (!t, tensor<?x?x?x64xi8>, !t) -> (!t)
  attn.return %o : !t
}

// An index out of a tensor may be bad: tokens may be absent. Heads that a region divides alike share keys; where keys
// may be absent they are packed before the sweep, also where they are split.
// CHECK-LABEL: tile.program @paged
// CHECK-SAME: share = array<i64: 1, 4>
// CHECK: tile.variant "split"
// CHECK: tile.phase "pack" by 256 {
// CHECK: tile.pack %{{.*}} by [#{{.*}}] checked through {
// CHECK: tile.load %{{.*}} by [#{{.*}}] : tensor<?x?x?x64xf32>
!pool = tensor<?x16x?x64xf32>
attn.kernel @paged(%q: !t, %table: tensor<?x?xi32>, %pool: !pool) -> (o: !t) {
  %o = attn.attend dims(b, h | i | j | c = 64, e = 64)
    q = %q[b, h, i, c]
    k = %table[b, j floordiv 16] as (%page : i32, h = %h, j = %j, c = %c) {
      %size = arith.constant 16 : index
      %group = arith.constant 4 : index
      %hk = arith.divui %h, %group : index
      %n = arith.remui %j, %size : index
      %p = arith.index_cast %page : i32 to index
      %y = attn.load %pool[%p, %n, %hk, %c] : !pool
      attn.yield %y : f32
    }
    v = %table[b, j floordiv 16] as (%page : i32, h = %h, j = %j, e = %e) {
      %size = arith.constant 16 : index
      %group = arith.constant 4 : index
      %hk = arith.divui %h, %group : index
      %n = arith.remui %j, %size : index
      %p = arith.index_cast %page : i32 to index
      %y = attn.load %pool[%p, %n, %hk, %e] : !pool
      attn.yield %y : f32
    }
    outputs o[b, h, i, e]
    : (!t, tensor<?x?xi32>, tensor<?x?xi32>) -> (!t)
  attn.return %o : !t
}

// Arithmetic on features stays inside of static extents, and rows are read by bare indices: nothing to check. A position
// out of a tensor is another matter.
// CHECK-LABEL: tile.program @rotary
// CHECK: tile.pack %{{.*}} by [#{{.*}}] through {
// CHECK: tile.load %{{.*}} by [#{{.*}}] checked through {
attn.kernel @rotary(%q: !t, %k: !t, %v: !t, %cos: tensor<?x32xf32>, %at: tensor<?xi32>, %turns: tensor<?x32xf32>) -> (o: !t) {
  %o = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] as (%x, i = %i, c = %c) {
      %two = arith.constant 2 : index
      %n = arith.floordivsi %c, %two : index
      %f = attn.load %at[%i] : tensor<?xi32>
      %p = arith.index_cast %f : i32 to index
      %a = attn.load %turns[%p, %n] : tensor<?x32xf32>
      %z = arith.mulf %x, %a : f32
      attn.yield %z : f32
    }
    k = %k[b, h, j, c] as (%x, b = %b, h = %h, j = %j, c = %c) {
      %one = arith.constant 1 : index
      %two = arith.constant 2 : index
      %partner = arith.xori %c, %one : index
      %n = arith.floordivsi %c, %two : index
      %y = attn.load %k[%b, %h, %j, %partner] : !t
      %a = attn.load %cos[%j, %n] : tensor<?x32xf32>
      %z = arith.mulf %x, %a : f32
      %w = arith.addf %y, %z : f32
      attn.yield %w : f32
    }
    v = %v[b, h, j, e]
    outputs o[b, h, i, e]
    : (!t, !t, !t) -> (!t)
  attn.return %o : !t
}

// Types of their own; keys with regions are packed even where every query has a list of its own.
// CHECK-LABEL: tile.program @listed
// CHECK-NOT: tile.variant "rows"
// CHECK: tile.pack %{{.*}} through
attn.kernel @listed(%q: !t, %k: tensor<?x?x?x64xf8E4M3FN>, %v: tensor<?x?x?x64xbf16>, %list: tensor<?x?x?xi32>) -> (o: !t) {
  %o = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c]
    k = %k[b, h, j, c] as (%x) {
      %y = arith.mulf %x, %x : f32
      attn.yield %y : f32
    }
    v = %v[b, h, j, e]
    set = tokens<%list[b, i]>
    outputs o[b, h, i, e]
    : (!t, tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x?x64xbf16>) -> (!t)
  attn.return %o : !t
}

// Without regions they are read where they lie, whatever their types.
// CHECK-LABEL: tile.program @mixed
// CHECK: tile.variant "rows"
// CHECK: tile.rows %{{.*}} : tensor<?x?x?x64xf8E4M3FN>
// CHECK: tile.rows %{{.*}} : tensor<?x?x?x64xbf16>
attn.kernel @mixed(%q: !t, %k: tensor<?x?x?x64xf8E4M3FN>, %v: tensor<?x?x?x64xbf16>, %list: tensor<?x?x?xi32>) -> (o: !t) {
  %o = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = tokens<%list[b, i]>
    outputs o[b, h, i, e]
    : (!t, tensor<?x?x?x64xf8E4M3FN>, tensor<?x?x?x64xbf16>) -> (!t)
  attn.return %o : !t
}
