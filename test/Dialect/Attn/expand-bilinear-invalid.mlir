// RUN: %attn-opt %s --attn-expand-bilinear --split-input-file --verify-diagnostics
// RUN: not %attn-opt %s --split-input-file --attn-expand-bilinear=operand=v 2>&1 | FileCheck %s
// CHECK: [option] operand is auto, q or k, not v

!q = tensor<?x?x?x8xf32>
!k = tensor<?x?x?x5xf32>
attn.kernel @load(%q: !q, %k: !k, %v: !q, %g: tensor<8x5xf32>, %s: tensor<?xf32>) -> (o: !q) {
  // expected-error @+1 {{[unsupported_bilinear] q is taken into the bilinear tensor by an attn.map; its region loads by an index that may be out of bounds}}
  %o = attn.attend dims(b, h | i | j | c, r, e)
    q = %q[b, h, i, c] as (%x, h = %h) { %n = arith.addi %h, %h : index %y = attn.load %s[%n] : tensor<?xf32> %z = arith.mulf %x, %y : f32 attn.yield %z : f32 }
    k = %k[b, h, j, r] as (%x, h = %h) { %n = arith.addi %h, %h : index %y = attn.load %s[%n] : tensor<?xf32> %z = arith.mulf %x, %y : f32 attn.yield %z : f32 }
    v = %v[b, h, j, e]
    bilinear = %g[c, r]
    outputs o[b, h, i, e]
    : (!q, !k, !q, tensor<8x5xf32>) -> !q
  attn.return %o : !q
}

// -----

!q = tensor<?x?x?x8xf32>
!k = tensor<?x?x?x5xf32>
attn.kernel @divided(%q: !q, %k: !k, %v: !q, %g: tensor<?x8x5xf32>) -> (o: !q) {
  // expected-error @+1 {{[unsupported_bilinear] q is taken into the bilinear tensor by an attn.map; nothing that it is indexed by says how many 'h' there are}}
  %o = attn.attend dims(b, h | i | j | c, r, e)
    q = %q[b, h floordiv 2, i, c] k = %k[b, h floordiv 4, j, r] v = %v[b, h, j, e]
    bilinear = %g[h floordiv 3, c, r]
    outputs o[b, h, i, e]
    : (!q, !k, !q, tensor<?x8x5xf32>) -> !q
  attn.return %o : !q
}
