// RUN: %attn-opt %s --split-input-file --verify-diagnostics

// Rules of attn.merge.

!t = tensor<?x?x?x64xf32>
!l = tensor<?x?x?xf32>
attn.kernel @merge_c1_twice(%o1: !t, %l1: !l, %o2: !t, %l2: !l) -> (o: !t, lse: !l) {
  // expected-error@below {{[merge_c1] the dimension name 'b' is used twice}}
  %o, %lse = attn.merge dims(b, h, b, e) @softmax (%o1[b, h, b, e], %l1[b, h, b]), (%o2, %l2) : (!t, !l, !t, !l) -> (!t, !l)
  attn.return %o, %lse : !t, !l
}

// -----

!t = tensor<?x?x?x64xf32>
!l = tensor<?x?x?xf32>
attn.kernel @merge_c1_none(%o1: !t, %l1: !l, %o2: !t, %l2: !l) -> (o: !t, lse: !l) {
  // expected-error@below {{[merge_c1] name the dimensions of o, e.g. dims(b, h, i, e)}}
  %o, %lse = attn.merge dims() @softmax (%o1, %l1), (%o2, %l2) : (!t, !l, !t, !l) -> (!t, !l)
  attn.return %o, %lse : !t, !l
}

// -----

!t = tensor<?x?x?x64xf32>
!l = tensor<?x?x?xf32>
attn.kernel @merge_c2_out(%o1: !t, %l1: !l, %o2: !t, %l2: !l) -> (o: !t, lse: !l) {
  // expected-error@below {{[merge_c2] o of part 1 is indexed twice by 'i'}}
  %o, %lse = attn.merge dims(b, h, i, e) @softmax (%o1, %l1), (%o2[b, i, i, e], %l2) : (!t, !l, !t, !l) -> (!t, !l)
  attn.return %o, %lse : !t, !l
}

// -----

!t = tensor<?x?x?x64xf32>
!l = tensor<?x?x?xf32>
attn.kernel @merge_c2_rank(%o1: !t, %l1: !l, %o2: !t, %l2: !l) -> (o: !t, lse: !l) {
  // expected-error@below {{[merge_c2] lse of part 0 has rank 3 and 2 indices}}
  %o, %lse = attn.merge dims(b, h, i, e) @softmax (%o1, %l1[b, i]), (%o2, %l2) : (!t, !l, !t, !l) -> (!t, !l)
  attn.return %o, %lse : !t, !l
}

// -----

!t = tensor<?x?x?x64xf32>
!l = tensor<?x?x?xf32>
attn.kernel @merge_c2_feature(%o1: !t, %l1: !l, %o2: !t, %l2: !l) -> (o: !t, lse: !l) {
  // expected-error@below {{[merge_c2] lse of part 1 must be indexed by 'i': the value feature is 'e' elsewhere}}
  %o, %lse = attn.merge dims(b, h, i, e) @softmax (%o1, %l1), (%o2, %l2[b, h, e]) : (!t, !l, !t, !l) -> (!t, !l)
  attn.return %o, %lse : !t, !l
}

// -----

!t = tensor<?x?x?x64xf32>
!l = tensor<?x?x?xf32>
attn.kernel @merge_c2_plain(%o1: !t, %l1: !l, %o2: !t, %l2: !l) -> (o: !t, lse: !l) {
  // expected-error@below {{[merge_c2] lse of part 1 is indexed by plain dimensions}}
  %o, %lse = attn.merge dims(b, h, i, e) @softmax (%o1, %l1), (%o2, %l2[b, h, 0]) : (!t, !l, !t, !l) -> (!t, !l)
  attn.return %o, %lse : !t, !l
}

// -----

!t = tensor<?x?x?x64xf32>
!l = tensor<?x?x?xf32>
attn.kernel @merge_c3(%o1: !t, %l1: !l, %o2: !t, %l2: !l) -> (o: !t, lse: !l) {
  // expected-error@below {{[merge_c3] a merge has two or more parts: (%o1, %lse1), (%o2, %lse2)}}
  %o, %lse = attn.merge dims(b, h, i, e) @softmax (%o1, %l1) : (!t, !l) -> (!t, !l)
  attn.return %o, %lse : !t, !l
}

// -----

!t = tensor<?x?x?x64xf32>
!l = tensor<?x?x?xf32>
attn.kernel @merge_c4_name(%o1: !t, %l1: !l, %o2: !t, %l2: !l) -> (o: !t, lse: !l) {
  // expected-error@below {{[merge_c4] there is no normalizer @nosuch in the module or the library}}
  %o, %lse = attn.merge dims(b, h, i, e) @nosuch (%o1, %l1), (%o2, %l2) : (!t, !l, !t, !l) -> (!t, !l)
  attn.return %o, %lse : !t, !l
}

// -----

!t = tensor<?x?x?x64xf32>
!l = tensor<?x?x?xf32>
attn.normalizer @mine {
  attn.pass ref = none
    phi(%s) { attn.yield %s : f32 }
    sums(n = value)
  attn.finish(%n) { attn.yield %n, %n : f32, f32 } outputs(o, lse) empty(0.0, neg_inf)
}
attn.kernel @merge_c4_ref(%o1: !t, %l1: !l, %o2: !t, %l2: !l) -> (o: !t, lse: !l) {
  // expected-error@below {{[merge_c4] the outputs of @mine do not merge: it has no reference, so its outputs do not say how large its sums are}}
  %o, %lse = attn.merge dims(b, h, i, e) @mine (%o1, %l1), (%o2, %l2) : (!t, !l, !t, !l) -> (!t, !l)
  attn.return %o, %lse : !t, !l
}

// -----

!t = tensor<?x?x?x64xf32>
!l = tensor<?x?x?xf32>
attn.normalizer @mine {
  attn.pass ref = max
    gauge(%r0, %r1) { %d = arith.subf %r0, %r1 : f32  %g = math.exp %d : f32  attn.yield %g : f32 }
    phi(%s, %r) { %d = arith.subf %s, %r : f32  %p = math.exp %d : f32  attn.yield %p : f32 }
    sums(l = one, n = value, c = count)
  attn.finish(%r, %l, %n, %c) { %o = arith.divf %n, %l : f32  %g = math.log %l : f32  %e = arith.addf %r, %g : f32  attn.yield %o, %e : f32, f32 } outputs(o, lse) empty(0.0, neg_inf)
}
attn.kernel @merge_c4_sums(%o1: !t, %l1: !l, %o2: !t, %l2: !l) -> (o: !t, lse: !l) {
  // expected-error@below {{[merge_c4] the outputs of @mine do not merge: it has other sums than one of `one` and one of `value`}}
  %o, %lse = attn.merge dims(b, h, i, e) @mine (%o1, %l1), (%o2, %l2) : (!t, !l, !t, !l) -> (!t, !l)
  attn.return %o, %lse : !t, !l
}

// -----

!t = tensor<?x?x?x64xf32>
!l = tensor<?x?x?xf32>
attn.normalizer @mine {
  attn.pass ref = max
    gauge(%r0, %r1) { %d = arith.subf %r0, %r1 : f32  %g = math.exp %d : f32  attn.yield %g : f32 }
    phi(%s, %r) { %d = arith.subf %s, %r : f32  %p = math.exp %d : f32  attn.yield %p : f32 }
    sums(l = one, n = value)
  attn.finish(%r, %l, %n) { %o = arith.divf %n, %l : f32  %g = math.log %l : f32  %e = arith.addf %r, %g : f32  %two = arith.constant 2.0 : f32  %h = arith.addf %e, %two : f32  attn.yield %o, %h : f32, f32 } outputs(o, lse) empty(0.0, neg_inf)
}
attn.kernel @merge_c4_finish(%o1: !t, %l1: !l, %o2: !t, %l2: !l) -> (o: !t, lse: !l) {
  // expected-error@below {{[merge_c4] the outputs of @mine do not merge: it is no normalizer whose o is the value sum and whose lse is the reference where the sum of weights is 1}}
  %o, %lse = attn.merge dims(b, h, i, e) @mine (%o1, %l1), (%o2, %l2) : (!t, !l, !t, !l) -> (!t, !l)
  attn.return %o, %lse : !t, !l
}

// -----

!t = tensor<?x?x?x64xf32>
!l = tensor<?x?x?xf32>
attn.normalizer @mine {
  attn.pass ref = max
    gauge(%r0, %r1) { %d = arith.subf %r0, %r1 : f32  %g = math.exp %d : f32  attn.yield %g : f32 }
    phi(%s, %r) { %d = arith.subf %s, %r : f32  %p = math.exp %d : f32  attn.yield %p : f32 }
    sums(l = one in 0, n = value)
  attn.finish(%r, %l, %n) { %o = arith.divf %n, %l : f32  %g = math.log %l : f32  %e = arith.addf %r, %g : f32  attn.yield %o, %e : f32, f32 } outputs(o, lse) empty(0.0, neg_inf)
}
attn.kernel @merge_c4_class(%o1: !t, %l1: !l, %o2: !t, %l2: !l) -> (o: !t, lse: !l) {
  // expected-error@below {{[merge_c4] the outputs of @mine do not merge: it sums over classes of keys, or several weights}}
  %o, %lse = attn.merge dims(b, h, i, e) @mine (%o1, %l1), (%o2, %l2) : (!t, !l, !t, !l) -> (!t, !l)
  attn.return %o, %lse : !t, !l
}

// -----

!t = tensor<?x?x?x64xf32>
!l = tensor<?x?x?xf32>
attn.normalizer @mine {
  %t = attn.pass ref = max
    gauge(%r0, %r1) { %d = arith.subf %r0, %r1 : f32  %g = math.exp %d : f32  attn.yield %g : f32 }
    phi(%s, %r) { %d = arith.subf %s, %r : f32  %p = math.exp %d : f32  attn.yield %p : f32 }
    sums(l = one, n = value) stat(%r, %l) { %g = math.log %l : f32  %e = arith.addf %r, %g : f32  attn.yield %e : f32 }
  attn.finish(%r, %l, %n) { %o = arith.divf %n, %l : f32  %g = math.log %l : f32  %e = arith.addf %r, %g : f32  attn.yield %o, %e : f32, f32 } outputs(o, lse) empty(0.0, neg_inf)
}
attn.kernel @merge_c4_stat(%o1: !t, %l1: !l, %o2: !t, %l2: !l) -> (o: !t, lse: !l) {
  // expected-error@below {{[merge_c4] the outputs of @mine do not merge: it has statistics}}
  %o, %lse = attn.merge dims(b, h, i, e) @mine (%o1, %l1), (%o2, %l2) : (!t, !l, !t, !l) -> (!t, !l)
  attn.return %o, %lse : !t, !l
}

// -----

!t = tensor<?x?x?x64xf32>
!l = tensor<?x?x?xf32>
attn.normalizer @mine {
  attn.pass ref = none phi(%s) { attn.yield %s : f32 } sums(a = one)
  attn.pass ref = max
    gauge(%r0, %r1) { %d = arith.subf %r0, %r1 : f32  %g = math.exp %d : f32  attn.yield %g : f32 }
    phi(%s, %r) { %d = arith.subf %s, %r : f32  %p = math.exp %d : f32  attn.yield %p : f32 }
    sums(l = one, n = value)
  attn.finish(%r, %l, %n) { %o = arith.divf %n, %l : f32  %g = math.log %l : f32  %e = arith.addf %r, %g : f32  attn.yield %o, %e : f32, f32 } outputs(o, lse) empty(0.0, neg_inf)
}
attn.kernel @merge_c4_passes(%o1: !t, %l1: !l, %o2: !t, %l2: !l) -> (o: !t, lse: !l) {
  // expected-error@below {{[merge_c4] the outputs of @mine do not merge: it has more than one pass: what it sums depends on all keys of a row}}
  %o, %lse = attn.merge dims(b, h, i, e) @mine (%o1, %l1), (%o2, %l2) : (!t, !l, !t, !l) -> (!t, !l)
  attn.return %o, %lse : !t, !l
}

// -----

!t = tensor<?x?x?x64xf32>
!l = tensor<?x?x?xf32>
attn.kernel @merge_c5(%o1: !t, %l1: !l, %o2: tensor<?x?x?x32xf32>, %l2: !l) -> (o: !t, lse: !l) {
  // expected-error@below {{[merge_c5] dimension 'e' has extent 64 elsewhere and 32 in o of part 1}}
  %o, %lse = attn.merge dims(b, h, i, e) @softmax (%o1, %l1), (%o2, %l2) : (!t, !l, tensor<?x?x?x32xf32>, !l) -> (!t, !l)
  attn.return %o, %lse : !t, !l
}

// -----

!t = tensor<?x?x?x64xf32>
!l = tensor<?x?x?xf32>
attn.kernel @merge_c6_lse(%o1: !t, %l1: !l, %o2: !t, %l2: tensor<?x?x?xbf16>) -> (o: !t, lse: !l) {
  // expected-error@below {{[merge_c6] lse of part 1 has element type 'bf16'; expected f32}}
  %o, %lse = attn.merge dims(b, h, i, e) @softmax (%o1, %l1), (%o2, %l2) : (!t, !l, !t, tensor<?x?x?xbf16>) -> (!t, !l)
  attn.return %o, %lse : !t, !l
}

// -----

!t = tensor<?x?x?x64xf32>
!l = tensor<?x?x?xf32>
attn.kernel @merge_c6_wide(%o1: !t, %l1: !l, %o2: !t, %l2: !l) -> (o: tensor<?x?x?x64xf64>, lse: tensor<?x?x?xf64>) {
  // expected-error@below {{[merge_c6] o of part 0 has element type 'f32'; expected f64, as the result o}}
  %o, %lse = attn.merge dims(b, h, i, e) @softmax (%o1, %l1), (%o2, %l2) : (!t, !l, !t, !l) -> (tensor<?x?x?x64xf64>, tensor<?x?x?xf64>)
  attn.return %o, %lse : tensor<?x?x?x64xf64>, tensor<?x?x?xf64>
}

// -----

!t = tensor<?x?x?x64xf32>
!l = tensor<?x?x?xf32>
attn.kernel @merge_c7_type(%o1: !t, %l1: !l, %o2: !t, %l2: !l, %n: i32) -> (o: !t, lse: !l) {
  // expected-error@below {{[merge_c7] argument 0 of @softmax_sink is a constant, a scalar 'f32' without indices, or a tensor of f32, bf16 or f16, not 'i32'}}
  %o, %lse = attn.merge dims(b, h, i, e) @softmax_sink(%n) (%o1, %l1), (%o2, %l2) : (!t, !l, !t, !l) -> (!t, !l)
  attn.return %o, %lse : !t, !l
}

// -----

!t = tensor<?x?x?x64xf32>
!l = tensor<?x?x?xf32>
attn.kernel @merge_c7_feature(%o1: !t, %l1: !l, %o2: !t, %l2: !l, %n: tensor<?xf32>) -> (o: !t, lse: !l) {
  // expected-error@below {{[merge_c7] argument 0 of @softmax_sink has one value a row and is not indexed by 'e'}}
  %o, %lse = attn.merge dims(b, h, i, e) @softmax_sink(%n[e]) (%o1, %l1), (%o2, %l2) : (!t, !l, !t, !l) -> (!t, !l)
  attn.return %o, %lse : !t, !l
}

// -----

!t = tensor<?x?x?x64xf32>
!l = tensor<?x?x?xf32>
attn.kernel @merge_c7_rank(%o1: !t, %l1: !l, %o2: !t, %l2: !l, %n: tensor<?xf32>) -> (o: !t, lse: !l) {
  // expected-error@below {{[merge_c7] argument 0 of @softmax_sink has rank 1 and 0 indices}}
  %o, %lse = attn.merge dims(b, h, i, e) @softmax_sink(%n) (%o1, %l1), (%o2, %l2) : (!t, !l, !t, !l) -> (!t, !l)
  attn.return %o, %lse : !t, !l
}

// -----

!t = tensor<?x?x?x64xf32>
!l = tensor<?x?x?xf32>
attn.normalizer @softmax_sink(%b) {
  attn.pass ref = max
    gauge(%r0, %r1) { %d = arith.subf %r0, %r1 : f32  %g = math.exp %d : f32  attn.yield %g : f32 }
    phi(%s, %r) { %d = arith.subf %s, %r : f32  %p = math.exp %d : f32  attn.yield %p : f32 }
    seed { %one = arith.constant 1.0 : f32  %zero = arith.constant 0.0 : f32  attn.yield %b, %one, %zero : f32, f32, f32 }
    sums(l = one, n = value)
  attn.finish(%r, %l, %n) {
    %o = arith.divf %n, %l : f32  %g = math.log %l : f32  %e = arith.addf %r, %g : f32  attn.yield %o, %e : f32, f32
  } outputs(o, lse) empty(0.0, neg_inf)
}
attn.kernel @merge_c7_count(%o1: !t, %l1: !l, %o2: !t, %l2: !l) -> (o: !t, lse: !l) {
  // expected-error@below {{[merge_c7] @softmax_sink has 1 parameter and gets 0}}
  %o, %lse = attn.merge dims(b, h, i, e) @softmax_sink (%o1, %l1), (%o2, %l2) : (!t, !l, !t, !l) -> (!t, !l)
  attn.return %o, %lse : !t, !l
}

// -----

!t = tensor<?x?x?x64xf32>
!l = tensor<?x?x?xf32>
attn.kernel @merge_types_part(%o1: !t, %l1: !l, %o2: !t, %l2: !l) -> (o: !t, lse: !l) {
  // expected-error@below {{[merge_types] a part is (%o, %lse)}}
  %o, %lse = attn.merge dims(b, h, i, e) @softmax (%o1, %l1), (%o2, %l2, %l2) : (!t, !l, !t, !l) -> (!t, !l)
  attn.return %o, %lse : !t, !l
}

// -----

!t = tensor<?x?x?x64xf32>
!l = tensor<?x?x?xf32>
attn.kernel @merge_types_place(%o1: !t, %l1: !l, %o2: !t, %l2: !l) -> (o: !t, lse: !l) {
  // expected-error@below {{[merge_types] the types of parts stand at the end}}
  %o, %lse = attn.merge dims(b, h, i, e) @softmax (%o1 : !t, %l1), (%o2, %l2) : (!t, !l, !t, !l) -> (!t, !l)
  attn.return %o, %lse : !t, !l
}

// -----

!t = tensor<?x?x?x64xf32>
!l = tensor<?x?x?xf32>
attn.kernel @merge_c7_scalar(%o1: !t, %l1: !l, %o2: !t, %l2: !l, %n: f32) -> (o: !t, lse: !l) {
  // expected-error@below {{[merge_c7] argument 0 of @softmax_sink is a constant, a scalar 'f32' without indices, or a tensor of f32, bf16 or f16, not 'f32'}}
  %o, %lse = attn.merge dims(b, h, i, e) @softmax_sink(%n[h]) (%o1, %l1), (%o2, %l2) : (!t, !l, !t, !l) -> (!t, !l)
  attn.return %o, %lse : !t, !l
}

// -----

attn.kernel @merge_types_count(%o1: tensor<?x4xf32>, %l1: tensor<?xf32>) -> (o: tensor<?x4xf32>, lse: tensor<?xf32>) {
  %o, %lse = attn.merge dims(i, e) @softmax (%o1, %l1), (%o1, %l1)
    // expected-error@below {{[merge_types] write the types of o and lse of every part in order, and of the results: `: (O1, L1, O2, L2) -> (O, L)`}}
    : (tensor<?x4xf32>, tensor<?xf32>) -> (tensor<?x4xf32>, tensor<?xf32>)
  attn.return %o, %lse : tensor<?x4xf32>, tensor<?xf32>
}

// -----

attn.kernel @merge_types_tensor(%o1: tensor<?x4xf32>, %l1: f32) -> (o: tensor<?x4xf32>, lse: tensor<?xf32>) {
  %o, %lse = attn.merge dims(i, e) @softmax (%o1, %l1), (%o1, %l1)
    // expected-error@below {{[merge_types] parts and results of a merge are ranked tensors, not 'f32'}}
    : (tensor<?x4xf32>, f32, tensor<?x4xf32>, f32) -> (tensor<?x4xf32>, tensor<?xf32>)
  attn.return %o, %lse : tensor<?x4xf32>, tensor<?xf32>
}
