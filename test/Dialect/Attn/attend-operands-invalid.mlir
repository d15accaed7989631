// RUN: %attn-opt %s --split-input-file --verify-diagnostics

!t = tensor<?x?x64xf32>
!t8 = tensor<?x?x64xi8>
attn.kernel @kernel_c1_result(%q: !t) -> (o: tensor<?x?x64xf8E5M2>) { // expected-error {{[kernel_c1] result o has element type 'f8E5M2'; there are f64, f32, bf16, f16, i64, i32, i8 and i1}}
  %o = attn.attend dims(b | i | j | c, e)
    q = %q[b, i, c] k = %q[b, j, c] v = %q[b, j, e] outputs o[b, i, e] : (!t, !t, !t) -> (!t)
  attn.return %o : !t
}

// -----
attn.kernel @kernel_c1_element(%q: tensor<?xf8E4M3FNUZ>) -> (o: tensor<?xf32>) { // expected-error {{[kernel_c1] argument %q has element type 'f8E4M3FNUZ'; there are f64, f32, bf16, f16, i64, i32, i8 and i1, f8E4M3FN and f8E5M2}}
  attn.return
}

// -----
!t = tensor<?x?x64xf32>
attn.kernel @attend_c1_parts(%q: !t) -> (o: !t) {
  // expected-error@below {{[attend_c1] write dims(batch.. | query | key | dot feature, value feature), e.g. dims(b, h | i | j | c, e); here there are 2 contracted features}}
  %o = attn.attend dims(b | i | j | c, e)
    q = %q[b, i, c] | %q[b, i, c] k = %q[b, j, c] | %q[b, j, c] v = %q[b, j, e] outputs o[b, i, e] : (!t, !t, !t, !t, !t) -> (!t)
  attn.return %o : !t
}

// -----
!t = tensor<?x?x64xf32>
attn.kernel @attend_c2_offset(%q: !t) -> (o: !t) {
  // expected-error@below {{[attend_c2] index 1 of q must be a dimension, a constant, or a batch dimension floordiv a constant; operands also have their token floordiv a constant, and a feature floordiv or + a constant}}
  %o = attn.attend dims(b | i | j | c, e)
    q = %q[b, i + 1, c] k = %q[b, j, c] v = %q[b, j, e] outputs o[b, i, e] : (!t, !t, !t) -> (!t)
  attn.return %o : !t
}

// -----
!t = tensor<?x?x64xf32>
attn.kernel @attend_c2_output(%q: !t) -> (o: !t) {
  // expected-error@below {{[attend_c2] index 2 of o must be a dimension}}
  %o = attn.attend dims(b | i | j | c, e = 32)
    q = %q[b, i, c] k = %q[b, j, c] v = %q[b, j, e] outputs o[b, i, e + 32] : (!t, !t, !t) -> (!t)
  attn.return %o : !t
}

// -----
!t = tensor<?x?x64xf32>
attn.kernel @attend_c3_batch(%q: !t) -> (o: !t) {
  // expected-error@below {{[attend_c3] extents of at least 1 are written for features}}
  %o = attn.attend dims(b = 3 | i | j | c, e)
    q = %q[b, i, c] k = %q[b, j, c] v = %q[b, j, e] outputs o[b, i, e] : (!t, !t, !t) -> (!t)
  attn.return %o : !t
}

// -----
!t = tensor<?x?x64xf32>
attn.kernel @attend_c3_zero(%q: !t) -> (o: !t) {
  // expected-error@below {{[attend_c3] extents of at least 1 are written for features}}
  %o = attn.attend dims(b | i | j | c = 0, e)
    q = %q[b, i, c] k = %q[b, j, c] v = %q[b, j, e] outputs o[b, i, e] : (!t, !t, !t) -> (!t)
  attn.return %o : !t
}

// -----
!t = tensor<?x?x64xf32>
attn.kernel @attend_c4_feature(%q: !t, %r: tensor<?x?x32xf32>) -> (o: !t) {
  // expected-error@below {{[attend_c4] k, part 1 must be indexed by 'r'}}
  %o = attn.attend dims(b | i | j | c, r, e)
    q = %q[b, i, c] | %r[b, i, r] k = %q[b, j, c] | %q[b, j, c] v = %q[b, j, e] outputs o[b, i, e]
    : (!t, !t, !t, tensor<?x?x32xf32>, !t) -> (!t)
  attn.return %o : !t
}

// -----
!t = tensor<?x?x64xf32>
attn.kernel @attend_c4_other_feature(%q: !t, %r: tensor<?x?x32x64xf32>) -> (o: !t) {
  // expected-error@below {{[attend_c4] k, part 1 may not be indexed by 'c'}}
  %o = attn.attend dims(b | i | j | c, r, e)
    q = %q[b, i, c] | %r[b, i, r, 0] k = %q[b, j, c] | %r[b, j, r, c] v = %q[b, j, e] outputs o[b, i, e]
    : (!t, !t, !t, tensor<?x?x32x64xf32>, tensor<?x?x32x64xf32>) -> (!t)
  attn.return %o : !t
}

// -----
!t = tensor<?x?x64xf32>
attn.kernel @attend_c4_tokens(%q: !t, %t: tensor<64xf32>) -> (o: !t) {
  // expected-error@below {{[attend_c4] no input says how many tokens 'j' has: index an axis of an operand or of a captured tensor by 'j', or one of an operand by it floordiv a constant}}
  %o = attn.attend dims(b | i | j | c, e)
    q = %q[b, i, c]
    k = %t[c] as (%x) { attn.yield %x : f32 }
    v = %t[e] as (%x, j = %j) {
      %zero = arith.constant 0 : index
      %p = arith.cmpi eq, %j, %zero : index
      %y = arith.select %p, %x, %x : f32
      attn.yield %y : f32
    }
    outputs o[b, i, e] : (!t, tensor<64xf32>, tensor<64xf32>) -> (!t)
  attn.return %o : !t
}

// -----
!t = tensor<?x?x64xf32>
attn.kernel @attend_c6_slice(%q: !t) -> (o: !t) {
  // expected-error@below {{[attend_c6] the axis of k that 'c' indexes has extent 64 and needs 80}}
  %o = attn.attend dims(b | i | j | c = 32, e)
    q = %q[b, i, c] k = %q[b, j, c + 48] v = %q[b, j, e] outputs o[b, i, e] : (!t, !t, !t) -> (!t)
  attn.return %o : !t
}

// -----
!t = tensor<?x?x64xf32>
attn.kernel @attend_c6_quotient(%q: !t) -> (o: tensor<?x?x129xf32>) {
  // expected-error@below {{[attend_c6] the axis of v that 'e' indexes has extent 64 and needs 65}}
  %o = attn.attend dims(b | i | j | c, e = 129)
    q = %q[b, i, c] k = %q[b, j, c] v = %q[b, j, e floordiv 2] outputs o[b, i, e] : (!t, !t, !t) -> (tensor<?x?x129xf32>)
  attn.return %o : tensor<?x?x129xf32>
}

// -----
!t = tensor<?x?x64xf32>
attn.kernel @attend_c6_written(%q: !t) -> (o: !t) {
  // expected-error@below {{[attend_c6] dimension 'e' has extent 32 elsewhere and 64 in o}}
  %o = attn.attend dims(b | i | j | c, e = 32)
    q = %q[b, i, c] k = %q[b, j, c] v = %q[b, j, e] outputs o[b, i, e] : (!t, !t, !t) -> (!t)
  attn.return %o : !t
}

// -----
!t = tensor<?x40x64xf32>
attn.kernel @attend_c6_pages(%q: !t, %t: tensor<?x2xi32>) -> (o: !t) {
  // expected-error@below {{[attend_c6] an axis of v has extent 2 where dimension 'j' of extent 40 floordiv 16 needs 3}}
  %o = attn.attend dims(b | i | j | c, e = 64)
    q = %q[b, i, c] k = %q[b, j, c]
    v = %t[b, j floordiv 16] as (%p : i32) {
      %y = arith.sitofp %p : i32 to f32
      attn.yield %y : f32
    }
    outputs o[b, i, e] : (!t, !t, tensor<?x2xi32>) -> (!t)
  attn.return %o : !t
}

// -----
!t = tensor<?x?x64xf32>
attn.kernel @attend_c8_part(%q: !t, %r: tensor<?x?x64xi8>) -> (o: !t) {
  // expected-error@below {{[attend_c8] k, part 1 has element type 'i8'; a region makes numbers of integers: `k = %x[..] as (%n : 'i8') { .. attn.yield %y : f32 }`}}
  %o = attn.attend dims(b | i | j | c, r, e)
    q = %q[b, i, c] | %q[b, i, r] k = %q[b, j, c] | %r[b, j, r] v = %q[b, j, e] outputs o[b, i, e]
    : (!t, !t, !t, !t, tensor<?x?x64xi8>) -> (!t)
  attn.return %o : !t
}

// -----
!t = tensor<?x?x64xf32>
attn.kernel @attend_c8_bilinear(%q: !t, %g: tensor<64x64xi8>) -> (o: !t) {
  // expected-error@below {{[attend_c8] the bilinear tensor is one of floats, not 'tensor<64x64xi8>'}}
  %o = attn.attend dims(b | i | j | c, r, e)
    q = %q[b, i, c] k = %q[b, j, r] v = %q[b, j, e] bilinear = %g[c, r] outputs o[b, i, e] : (!t, !t, !t, tensor<64x64xi8>) -> (!t)
  attn.return %o : !t
}

// -----
!t = tensor<?x?x64xf32>
attn.kernel @attend_c9_byte_floats(%q: !t, %s: tensor<?xf8E5M2>) -> (o: !t) {
  %o = attn.attend dims(b | i | j | c, e)
    q = %q[b, i, c]
    k = %q[b, j, c] as (%x, j = %j) {
      %e = attn.load %s[%j] : tensor<?xf8E5M2>
      // expected-error@below {{[attend_c9] a number of type 'f8E5M2' is only converted: arith.extf}}
      %t = arith.addf %e, %e : f8E5M2
      %f = arith.extf %t : f8E5M2 to f32
      %y = arith.mulf %x, %f : f32
      attn.yield %y : f32
    }
    v = %q[b, j, e] outputs o[b, i, e] : (!t, !t, !t) -> (!t)
  attn.return %o : !t
}

// -----
!t = tensor<?x?x64xf32>
attn.kernel @attend_c9_operand(%q: !t) -> (o: !t) {
  %o = attn.attend dims(b | i | j | c, e)
    q = %q[b, i, c] as (%x) {
      // expected-error@below {{[attend_c9] is not allowed here; write it in arith, math, attn.load, attn.member and attn.random}}
      %f = func.call @f(%x) : (f32) -> f32
      attn.yield %f : f32
    }
    k = %q[b, j, c] v = %q[b, j, e] outputs o[b, i, e] : (!t, !t, !t) -> (!t)
  attn.return %o : !t
}
func.func private @f(f32) -> f32

// -----
!t = tensor<?x?x64xf32>
attn.kernel @attend_c20_features(%q: !t) -> (lse: tensor<?x?xf32>) {
  // expected-error@below {{[attend_c20] without v there is one feature: dims(b | i | j | c)}}
  %lse = attn.attend dims(b | i | j | c, r, e)
    q = %q[b, i, c] | %q[b, i, r] k = %q[b, j, c] | %q[b, j, r] outputs lse[b, i] : (!t, !t, !t, !t) -> (tensor<?x?xf32>)
  attn.return %lse : tensor<?x?xf32>
}

// -----
!t = tensor<?x?x64xf32>
attn.kernel @attend_c2_token(%q: !t) -> (o: !t) {
  // expected-error@below {{[attend_c2] index 1 of k must be a dimension, a constant, or a batch dimension floordiv a constant; 'j floordiv 2' needs a region, which says what the element is to each token: `as (%x, j = %t) {..}`}}
  %o = attn.attend dims(b | i | j | c, e)
    q = %q[b, i, c] k = %q[b, j floordiv 2, c] v = %q[b, j, e] outputs o[b, i, e] : (!t, !t, !t) -> (!t)
  attn.return %o : !t
}

// -----
!t = tensor<?x?x64xf32>
attn.kernel @attend_c21_slice(%q: !t) -> (o: !t) {
  // expected-error@below {{[attend_c21] k does not say by this index what the extent of 'c' is; write it: dims(.. | c = 64)}}
  %o = attn.attend dims(b | i | j | c, e)
    q = %q[b, i, c] k = %q[b, j, c + 8] v = %q[b, j, e] outputs o[b, i, e] : (!t, !t, !t) -> (!t)
  attn.return %o : !t
}

// -----
!t = tensor<?x?x64xf32>
attn.kernel @attend_c21_extent(%q: !t, %t: tensor<?x?xi32>) -> (o: !t) {
  // expected-error@below {{[attend_c21] k is not indexed by 'c', so its extent is written: dims(.. | c = 64)}}
  %o = attn.attend dims(b | i | j | c, e)
    q = %q[b, i, c]
    k = %t[b, j] as (%p : i32) {
      %y = arith.sitofp %p : i32 to f32
      attn.yield %y : f32
    }
    v = %q[b, j, e] outputs o[b, i, e] : (!t, tensor<?x?xi32>, !t) -> (!t)
  attn.return %o : !t
}

// -----
!t = tensor<?x?x64xf32>
attn.kernel @attend_c21_number(%q: !t, %t: tensor<?x?x64xbf16>) -> (o: !t) {
  // expected-error@below {{[attend_c21] the region of k takes 'f32'; write `%x : 'f32'`}}
  %o = attn.attend dims(b | i | j | c, e)
    q = %q[b, i, c]
    k = %t[b, j, c] as (%x : bf16) {
      %y = arith.extf %x : bf16 to f32
      attn.yield %y : f32
    }
    v = %q[b, j, e] outputs o[b, i, e] : (!t, tensor<?x?x64xbf16>, !t) -> (!t)
  attn.return %o : !t
}

// -----
!t = tensor<?x?x64xf32>
attn.kernel @attend_c21_yield(%q: !t) -> (o: !t) {
  // expected-error@below {{[attend_c21] end the region of v with `attn.yield %y : 'f32'`}}
  %o = attn.attend dims(b | i | j | c, e)
    q = %q[b, i, c] k = %q[b, j, c]
    v = %q[b, j, e] as (%x, e = %e) { attn.yield %e : index }
    outputs o[b, i, e] : (!t, !t, !t) -> (!t)
  attn.return %o : !t
}

// -----
!t = tensor<?x?x64xf32>
attn.kernel @attend_c22_parts(%q: !t) -> (o: !t) {
  %o = attn.attend dims(b | i | j | c, r, e)
    // expected-error@below {{[attend_c22] q has 2 parts and k 1; a part of q meets the part of k at the same place}}
    q = %q[b, i, c] | %q[b, i, r] k = %q[b, j, c] v = %q[b, j, e] outputs o[b, i, e] : (!t, !t, !t, !t) -> (!t)
  attn.return %o : !t
}

// -----
!t = tensor<?x?x64xf32>
attn.kernel @attend_c22_values(%q: !t) -> (o: !t) {
  %o = attn.attend dims(b | i | j | c, e)
    // expected-error@below {{[attend_c22] values have one part; q and k may have several}}
    q = %q[b, i, c] k = %q[b, j, c] v = %q[b, j, e] | %q[b, j, e] outputs o[b, i, e] : (!t, !t, !t, !t) -> (!t)
  attn.return %o : !t
}

// -----
!t = tensor<?x?x64xf32>
attn.kernel @attend_c22_dot(%q: !t) -> (o: !t) {
  // expected-error@below {{[attend_c22] with a bilinear tensor or a dot region q and k have one part}}
  %o = attn.attend dims(b | i | j | c, r, e)
    q = %q[b, i, c] | %q[b, i, r] k = %q[b, j, c] | %q[b, j, r] v = %q[b, j, e]
    dot(%x, %y) { attn.yield %x : f32 }
    outputs o[b, i, e] : (!t, !t, !t, !t, !t) -> (!t)
  attn.return %o : !t
}

// -----
!t = tensor<?x?x64xf32>
attn.kernel @attend_c23_dot(%q: !t) -> (o: !t) {
  // expected-error@below {{[attend_c23] the dot region takes 'f32'; write `%x : 'f32'`}}
  %o = attn.attend dims(b | i | j | c, e)
    q = %q[b, i, c] k = %q[b, j, c] v = %q[b, j, e]
    dot(%x, %y : bf16) { attn.yield %x : f32 }
    outputs o[b, i, e] : (!t, !t, !t) -> (!t)
  attn.return %o : !t
}

// -----
!t = tensor<?x?x64xf32>
attn.kernel @attend_c23_both(%q: !t, %g: tensor<64x64xf32>) -> (o: !t) {
  // expected-error@below {{[attend_c23] with a bilinear tensor the score is its sum; leave dot out, or the tensor}}
  %o = attn.attend dims(b | i | j | c, r, e)
    q = %q[b, i, c] k = %q[b, j, r] v = %q[b, j, e]
    bilinear = %g[c, r]
    dot(%x, %y) { attn.yield %x : f32 }
    outputs o[b, i, e] : (!t, !t, !t, tensor<64x64xf32>) -> (!t)
  attn.return %o : !t
}

// -----
!t = tensor<?x?x64xf32>
attn.kernel @attend_c23_index(%q: !t, %g: tensor<?x64x64xf32>) -> (o: !t) {
  // expected-error@below {{[attend_c23] the bilinear tensor is indexed by batch dimensions (also floordiv), constants, 'c' and 'r', each once}}
  %o = attn.attend dims(b | i | j | c, r, e)
    q = %q[b, i, c] k = %q[b, j, r] v = %q[b, j, e]
    bilinear = %g[i, c, r]
    outputs o[b, i, e] : (!t, !t, !t, tensor<?x64x64xf32>) -> (!t)
  attn.return %o : !t
}

// -----
!t = tensor<?x?x64xf32>
attn.kernel @attend_c23_feature(%q: !t, %g: tensor<?x64xf32>) -> (o: !t) {
  // expected-error@below {{[attend_c23] the bilinear tensor must be indexed by 'r'}}
  %o = attn.attend dims(b | i | j | c, r, e)
    q = %q[b, i, c] k = %q[b, j, r] v = %q[b, j, e]
    bilinear = %g[b, c]
    outputs o[b, i, e] : (!t, !t, !t, tensor<?x64xf32>) -> (!t)
  attn.return %o : !t
}

// -----
!t = tensor<?x?x64xf32>
attn.kernel @index_name(%q: !t) -> (o: !t) {
  %o = attn.attend dims(b | i | j | c, e)
    q = %q[b, i, c] k = %q[b, j, c]
    // expected-error@below {{[index_name] the feature of this operand is not 'c'; it is 'e'}}
    v = %q[b, j, e] as (%x, c = %c) { attn.yield %x : f32 }
    outputs o[b, i, e] : (!t, !t, !t) -> (!t)
  attn.return %o : !t
}

// -----
!t = tensor<?x?x64xf32>
attn.kernel @index_name_token(%q: !t) -> (o: !t) {
  %o = attn.attend dims(b | i | j | c, e)
    // expected-error@below {{[index_name] this region has no index 'i'; an operand's has its batch dimensions, token and feature, that of dot batch dimensions and the contracted feature}}
    q = %q[b, i, c] k = %q[b, j, c] as (%x, i = %i) { attn.yield %x : f32 }
    v = %q[b, j, e] outputs o[b, i, e] : (!t, !t, !t) -> (!t)
  attn.return %o : !t
}

// -----
!t = tensor<?x?x64xf32>
attn.kernel @index_offset(%q: !t) -> (o: !t) {
  %o = attn.attend dims(b | i | j | c = 64, e)
    // expected-error@below {{[index_offset] an offset is at least 0}}
    q = %q[b, i, c + -1] k = %q[b, j, c] v = %q[b, j, e] outputs o[b, i, e] : (!t, !t, !t) -> (!t)
  attn.return %o : !t
}

// -----
!t = tensor<?x?x64xf32>
attn.kernel @attend_types(%q: !t) -> (o: !t) {
  %o = attn.attend dims(b | i | j | c, r, e)
    q = %q[b, i, c] | %q[b, i, r] k = %q[b, j, c] | %q[b, j, r] v = %q[b, j, e] outputs o[b, i, e]
    // expected-error@below {{[attend_types] write the types of q, k and v: `: (Q, K, V) -> (outputs)`; behind them those of further parts (q, k, q, k..) and of the bilinear tensor}}
    : (!t, !t, !t) -> (!t)
  attn.return %o : !t
}
