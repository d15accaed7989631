// RUN: %attn-opt %s --attn-pipeline-tile | FileCheck %s

// How many consecutive heads share a packed head of keys and values; 0: all.

// CHECK-LABEL: tile.program @mha
// CHECK-SAME: share = array<i64: 1, 1>
attn.kernel @mha(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>) -> (o: tensor<?x?x?x64xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// CHECK-LABEL: tile.program @gqa
// CHECK-SAME: share = array<i64: 1, 4>
attn.kernel @gqa(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>) -> (o: tensor<?x?x?x64xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h floordiv 4, j, c] v = %v[b, h floordiv 4, j, e]
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// CHECK-LABEL: tile.program @mqa
// CHECK-SAME: share = array<i64: 1, 0>
attn.kernel @mqa(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x64xf32>, %v: tensor<?x?x64xf32>) -> (o: tensor<?x?x?x64xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, j, c] v = %v[b, j, e]
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x64xf32>, tensor<?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// CHECK-LABEL: tile.program @all
// CHECK-SAME: share = array<i64: 0, 0>
attn.kernel @all(%q: tensor<?x?x?x64xf32>, %k: tensor<?x64xf32>, %v: tensor<?x64xf32>) -> (o: tensor<?x?x?x64xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[j, c] v = %v[j, e]
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x64xf32>, tensor<?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// Where K and V differ it is what both allow.
// CHECK-LABEL: tile.program @differing
// CHECK-SAME: share = array<i64: 1, 2>
attn.kernel @differing(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>) -> (o: tensor<?x?x?x64xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h floordiv 4, j, c] v = %v[b, h floordiv 6, j, e]
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// CHECK-LABEL: tile.program @keys_for_all
// CHECK-SAME: share = array<i64: 1, 2>
attn.kernel @keys_for_all(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x64xf32>, %v: tensor<?x?x?x64xf32>) -> (o: tensor<?x?x?x64xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, j, c] v = %v[b, h floordiv 2, j, e]
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}
