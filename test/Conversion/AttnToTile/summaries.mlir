// RUN: %attn-opt %s --attn-pipeline-tile | FileCheck %s

// Per-key integers that a set compares are summarized for each panel, so that whole blocks can be skipped.

// CHECK-LABEL: tile.program @segments
// CHECK: tile.phase "pack"
// CHECK: %[[S:.*]] = tile.summary %{{.*}} by #{{.*}} : tensor<?x?xi32> -> <16>
// CHECK: tile.yield %{{.*}}, %{{.*}}, %[[S]]
attn.kernel @segments(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>, %s: tensor<?x?xi32>) -> (o: tensor<?x?x?x64xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = same_segment<%s> and causal<top_left>
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// The same tensor once, however often it is used.
// CHECK-LABEL: tile.program @once
// CHECK: tile.summary %
// CHECK-NOT: tile.summary %
// CHECK: tile.phase "main"
attn.kernel @once(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>, %s: tensor<?xi32>) -> (o: tensor<?x?x?x64xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = same_segment<%s> or not same_segment<%s>
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// CHECK-LABEL: tile.program @where
// CHECK: tile.summary %{{.*}} : tensor<?xi64> -> <16>
attn.kernel @where(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>, %s: tensor<?xi64>, %t: tensor<?xi64>) -> (o: tensor<?x?x?x64xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = where(i = %i, j = %j) {
      %x = attn.load %s[%j] : tensor<?xi64>
      %y = attn.load %t[%i] : tensor<?xi64>
      %p = arith.cmpi slt, %x, %y : i64
      attn.yield %p : i1
    }
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// Not over an index whose members share the packed head, not for lengths, masks and floats.
// CHECK-LABEL: tile.program @none
// CHECK-NOT: tile.summary
// CHECK-LABEL: tile.program @end
attn.kernel @none(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x64xf32>, %v: tensor<?x?x64xf32>, %s: tensor<?x?xi32>, %l: tensor<?xi32>, %m: tensor<?x?xi32>) -> (o: tensor<?x?x?x64xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, j, c] v = %v[b, j, e]
    set = lengths<k = %l> and mask<%m[b, j]> and where(h = %h, j = %j) {
      %x = attn.load %s[%h, %j] : tensor<?x?xi32>
      %z = arith.constant 0 : i32
      %p = arith.cmpi slt, %x, %z : i32
      attn.yield %p : i1
    }
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x64xf32>, tensor<?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}
attn.kernel @end(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>) -> (o: tensor<?x?x?x64xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// Keys of a tensor that ascends along them are found by bisection; along another axis, order says nothing of the keys.
// CHECK-LABEL: tile.program @sorted
// CHECK-SAME: arg_attrs = [{}, {}, {}, {attn.sorted}, {attn.sorted}, {attn.range = array<i64: 0, 9>}]
// CHECK: tile.phase "pack"
// CHECK: %[[T:.*]] = tile.summary %{{.*}} by #[[MAP:.*]] : tensor<?x?xi32> -> <16>
// CHECK: %[[U:.*]] = tile.summary %{{.*}} by #{{.*}} : tensor<?xi32> -> <16>
// CHECK: tile.yield %{{[^,]*}}, %{{[^,]*}}, %[[T]], %[[U]] :
attn.kernel @sorted(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>, %s: tensor<?x?xi32> {attn.sorted},
                    %t: tensor<?x?xi32> {attn.sorted}, %u: tensor<?xi32> {attn.range = array<i64: 0, 9>}) -> (o: tensor<?x?x?x64xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = same_segment<%s> and where(b = %b, i = %i, j = %j) {
      %x = attn.load %t[%j, %b] : tensor<?x?xi32>
      %y = attn.load %u[%j] : tensor<?xi32>
      %p = arith.cmpi slt, %x, %y : i32
      attn.yield %p : i1
    }
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}
