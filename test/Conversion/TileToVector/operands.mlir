// RUN: %attn-opt %s --split-input-file --attn-pipeline-vector=block-keys=256 | FileCheck %s

// Interleaved rotary position: the partners of a vector's features are the vector itself, the table's columns half as many. Fast code stands first; for other strides than 1 there is a
// loop over vectors, element by element.
// CHECK-LABEL: llvm.func internal @attn_interleaved_v0_pack(
// CHECK: %[[X:.*]] = llvm.load %{{.*}} : !llvm.ptr -> vector<8xf32>
// CHECK: %[[Y:.*]] = llvm.load %{{.*}} : !llvm.ptr -> vector<8xf32>
// CHECK: vector.shuffle %[[Y]], %[[Y]] [1, 0, 3, 2, 5, 4, 7, 6] : vector<8xf32>, vector<8xf32>
// CHECK: %[[COS:.*]] = llvm.load %{{.*}} : !llvm.ptr -> vector<4xf32>
// CHECK: vector.shuffle %[[COS]], %[[COS]] [0, 0, 1, 1, 2, 2, 3, 3] : vector<4xf32>, vector<4xf32>
// CHECK: vector.insert
!t = tensor<?x?x?x16xf32>
attn.kernel @interleaved(%q: !t, %k: !t, %v: !t, %cos: tensor<?x8xf32>) -> (o: !t) {
  %o = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c]
    k = %k[b, h, j, c] as (%x, b = %b, h = %h, j = %j, c = %c) {
      %one = arith.constant 1 : index
      %two = arith.constant 2 : index
      %partner = arith.xori %c, %one : index
      %n = arith.divui %c, %two : index
      %y = attn.load %k[%b, %h, %j, %partner] : !t
      %a = attn.load %cos[%j, %n] : tensor<?x8xf32>
      %z = arith.mulf %y, %a : f32
      %w = arith.addf %x, %z : f32
      attn.yield %w : f32
    }
    v = %v[b, h, j, e]
    outputs o[b, h, i, e]
    : (!t, !t, !t) -> (!t)
  attn.return %o : !t
}

// -----
// Two numbers in a byte: four bytes a vector. The scale of a group of features is one number; nothing is absent, so there is no table of keys that are.
// CHECK-LABEL: llvm.func internal @attn_packed_v0_pack(
// CHECK: %[[B:.*]] = llvm.load %{{.*}} : !llvm.ptr -> vector<4xi8>
// CHECK: vector.shuffle %[[B]], %[[B]] [0, 0, 1, 1, 2, 2, 3, 3] : vector<4xi8>, vector<4xi8>
// CHECK: dense<[0, 4, 0, 4, 0, 4, 0, 4]>
// CHECK: arith.shrui
// CHECK: %[[S:.*]] = llvm.load %{{.*}} : !llvm.ptr -> f32
// CHECK: vector.broadcast %[[S]] : f32 to vector<8xf32>
!t = tensor<?x?x?x64xf32>
attn.kernel @packed(%q: !t, %k: tensor<?x?x?x32xi8>, %v: !t, %s: tensor<?x?x?x2xf32>) -> (o: !t) {
  %o = attn.attend dims(b, h | i | j | c = 64, e)
    q = %q[b, h, i, c]
    k = %k[b, h, j, c floordiv 2] as (%x : i8, b = %b, h = %h, j = %j, c = %c) {
      %two = arith.constant 2 : index
      %four = arith.constant 4 : index
      %group = arith.constant 32 : index
      %odd = arith.remui %c, %two : index
      %bits = arith.muli %odd, %four : index
      %shift = arith.index_cast %bits : index to i8
      %down = arith.shrui %x, %shift : i8
      %mask = arith.constant 15 : i8
      %low = arith.andi %down, %mask : i8
      %f = arith.sitofp %low : i8 to f32
      %n = arith.divui %c, %group : index
      %scale = attn.load %s[%b, %h, %j, %n] : tensor<?x?x?x2xf32>
      %y = arith.mulf %f, %scale : f32
      attn.yield %y : f32
    }
    v = %v[b, h, j, e]
    outputs o[b, h, i, e]
    : (!t, tensor<?x?x?x32xi8>, !t) -> (!t)
  attn.return %o : !t
}

// -----
// 576 features: runs of eight vectors are the body of a loop, in which what lanes add to the first feature stays a constant.
// CHECK-LABEL: llvm.func internal @attn_long_v0_pack(
// CHECK: scf.for %{{.*}} = %c0_i64{{.*}} to %c72_i64{{.*}} step %c8_i64
// CHECK-COUNT-8: vector.shuffle {{.*}} [1, 0, 3, 2, 5, 4, 7, 6]
// CHECK-NOT: [1, 0, 3, 2, 5, 4, 7, 6]
// CHECK: vector.insert
// CHECK-LABEL: llvm.func internal @attn_long_v0_main
!l = tensor<?x?x576xf32>
attn.kernel @long(%q: tensor<?x?x?x576xf32>, %k: !l, %v: !l) -> (lse: tensor<?x?x?xf32>) {
  %o = attn.attend dims(b, h | i | j | c)
    q = %q[b, h, i, c]
    k = %k[b, j, c] as (%x, b = %b, j = %j, c = %c) {
      %one = arith.constant 1 : index
      %partner = arith.xori %c, %one : index
      %y = attn.load %k[%b, %j, %partner] : !l
      attn.yield %y : f32
    }
    outputs lse[b, h, i]
    : (tensor<?x?x?x576xf32>, !l) -> (tensor<?x?x?xf32>)
  attn.return %o : tensor<?x?x?xf32>
}

// -----
// E4M3FN through f16, whose exponent has 2^8 less: exact, with its one NaN of each sign.
// CHECK-LABEL: llvm.func internal @attn_bytes_v0_pack(
// CHECK: llvm.load %{{.*}} : !llvm.ptr -> vector<8xi8>
// CHECK-NEXT: arith.extui %{{.*}} : vector<8xi8> to vector<8xi16>
// CHECK: arith.cmpi eq
// CHECK: arith.extf %{{.*}} : vector<8xf16> to vector<8xf32>
// CHECK: arith.mulf %{{.*}} : vector<8xf32>
// CHECK: llvm.load %{{.*}} : !llvm.ptr -> vector<8xi8>
!t = tensor<?x?x?x16xf32>
attn.kernel @bytes(%q: !t, %k: tensor<?x?x?x16xf8E4M3FN>, %v: tensor<?x?x?x16xf8E5M2>) -> (o: !t) {
  %o = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    outputs o[b, h, i, e]
    : (!t, tensor<?x?x?x16xf8E4M3FN>, tensor<?x?x?x16xf8E5M2>) -> (!t)
  attn.return %o : !t
}
