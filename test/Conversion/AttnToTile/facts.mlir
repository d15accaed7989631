// RUN: %attn-opt %s --attn-pipeline-tile | FileCheck %s

// What the call checks of every tensor before any work: [values are lengths of this dimension or -1, then for each axis: dimension or -1, a second dimension
// or -1, divisor, offset, static extent or -1, whether any extent is right]. Dimensions: b h i j c e = 0 1 2 3 4 5.

!t = tensor<?x?x?x64xf32>

// Lengths go by b and lie in 0..I or 0..J; counts in 0..J; segments go by b and the token.
// CHECK-LABEL: tile.program @token_sets
// CHECK-SAME: arg_facts = [
// CHECK-SAME: array<i64: 2, 0, -1, 1, 0, -1, 0>, array<i64: 3, 0, -1, 1, 0, -1, 0>,
// CHECK-SAME: array<i64: 3, 0, -1, 1, 0, -1, 0>, array<i64: 3, 0, -1, 1, 0, -1, 0>,
// CHECK-SAME: array<i64: -1, 0, -1, 1, 0, -1, 0, 2, 3, 1, 0, -1, 0>,
// CHECK-SAME: array<i64: -1, 0, -1, 1, 0, -1, 0, 2, -1, 1, 0, -1, 0>, array<i64: -1, 3, -1, 1, 0, -1, 0>,
attn.kernel @token_sets(%ql: tensor<?xi32>, %kl: tensor<?xi64>, %g: tensor<?xi32>, %s: tensor<?xi32>, %seg: tensor<?x?xi32>, %qs: tensor<?x?xi32>, %ks: tensor<?xi32>,
                        %q: !t, %k: !t, %v: !t) -> (o: !t) {
  %o = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = dilated<bottom_right, step = 2, q = %ql, k = %kl> and not_self<bottom_right, q = %ql, k = %kl> and block_causal<bottom_right, block = 4, q = %ql, k = %kl>
          and (global<%g> or sinks<%s>) and shared_prefix<%seg> and shared_prefix<q = %qs, k = %ks>
    outputs o[b, h, i, e]
    : (!t, !t, !t) -> !t
  attn.return %o : !t
}

// Leading axes by the map, the last one free; offsets have a query more, bits ceil(J / 32) words, probabilities an element.
// CHECK-LABEL: tile.program @lists
// CHECK-SAME: arg_facts = [
// CHECK-SAME: array<i64: -1, 0, -1, 1, 0, -1, 0, 1, -1, 4, 0, -1, 0, 2, -1, 64, 0, -1, 0, -1, -1, 1, 0, -1, 1>,
// CHECK-SAME: array<i64: -1, -1, -1, 1, 3, -1, 0, -1, -1, 1, 0, -1, 1>,
// CHECK-SAME: array<i64: -1, 1, -1, 1, 0, -1, 0, -1, -1, 1, 0, -1, 1>,
// CHECK-SAME: array<i64: -1, 0, -1, 1, 0, -1, 0, 2, -1, 1, 1, -1, 0>, array<i64: -1, 0, -1, 1, 0, -1, 0, -1, -1, 1, 0, -1, 1>,
// CHECK-SAME: array<i64: -1, 0, -1, 1, 0, -1, 0, 2, -1, 1, 0, -1, 0, 3, -1, 32, 0, -1, 0>,
// CHECK-SAME: array<i64: -1, 1, -1, 1, 0, -1, 0, -1, -1, 1, 0, -1, 1>,
// CHECK-SAME: array<i64: -1, -1, -1, 1, 0, -1, 0>,
attn.kernel @lists(%blocks: tensor<?x?x?x?xi32>, %pages: tensor<?x?xi64>, %diagonals: tensor<?x?xi32>, %offsets: tensor<?x?xi32>, %columns: tensor<?x?xi32>,
                   %words: tensor<?x?x?xi32>, %member: tensor<?x?xi32>, %p: tensor<?xf32>, %q: !t, %k: !t, %v: !t) -> (o: !t) {
  %o = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = blocks<%blocks[b, h floordiv 4, i floordiv 64], block = 16> and pages<%pages[3], block = 16> and diagonals<top_left, %diagonals[h]>
          and csr<%offsets[b], %columns[b]> and bits<%words[b, i]> and random_blocks<seed = 1, probability = %p, block = [8, 8]>
          and where(h = %h, i = %i) {
      %m = attn.member %i in %member[%h] : tensor<?x?xi32>
      attn.yield %m : i1
    }
    outputs o[b, h, i, e]
    : (!t, !t, !t) -> !t
  attn.return %o : !t
}

// A static grid behind a constant `first` is an extent.
// CHECK-LABEL: tile.program @grid
// CHECK-SAME: arg_facts = [
// CHECK-SAME: array<i64: -1, 0, -1, 1, 0, -1, 0, 1, -1, 1, 0, -1, 0, 2, -1, 1, 0, 18, 0, 4, -1, 1, 0, 64, 0>,
// CHECK-SAME: array<i64: -1, 0, -1, 1, 0, -1, 0, 1, -1, 1, 0, -1, 0, 3, -1, 1, 0, -1, 0, 4, -1, 1, 0, 64, 0>,
attn.kernel @grid(%q: !t, %k: !t, %v: !t) -> (o: !t) {
  %o = attn.attend dims(b, h | i[4, 4] | j[?, 4] | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    first = 2
    outputs o[b, h, i, e]
    : (!t, !t, !t) -> !t
  attn.return %o : !t
}

// One that is known at run time alone is none.
// CHECK-LABEL: tile.program @later
// CHECK-SAME: arg_facts = [
// CHECK-SAME: array<i64: -1, 0, -1, 1, 0, -1, 0, 1, -1, 1, 0, -1, 0, 2, -1, 1, 0, -1, 0, 4, -1, 1, 0, 64, 0>,
attn.kernel @later(%q: !t, %k: !t, %v: !t, %f: index) -> (o: !t) {
  %o = attn.attend dims(b, h | i[4, 4] | j[?, 4] | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    first = %f
    outputs o[b, h, i, e]
    : (!t, !t, !t) -> !t
  attn.return %o : !t
}
