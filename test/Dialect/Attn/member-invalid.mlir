// RUN: %attn-opt %s --split-input-file --verify-diagnostics

// Rules of attn.member.

attn.kernel @member_c1_element(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>, %x: tensor<?x?xf32>) -> (o: tensor<?x?x?x64xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = where(h = %h, i = %i, j = %j) {
      // expected-error@below {{[member_c1] the list is a tensor of i32 or i64, not 'tensor<?x?xf32>'}}
      %p = attn.member %j in %x[%h] : tensor<?x?xf32>
      %t = arith.constant true
      attn.yield %t : i1
    }
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// -----

attn.kernel @member_c1_few(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>, %x: tensor<?x?xi32>) -> (o: tensor<?x?x?x64xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = where(h = %h, i = %i, j = %j) {
      // expected-error@below {{[member_c1] 0 indices for a list of rank 2; write one for every axis but the last, which is run through}}
      %p = attn.member %j in %x[] : tensor<?x?xi32>
      %t = arith.constant true
      attn.yield %t : i1
    }
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// -----

attn.kernel @member_c1_many(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>, %x: tensor<?x?xi32>) -> (o: tensor<?x?x?x64xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = where(h = %h, i = %i, j = %j) {
      // expected-error@below {{[member_c1] 2 indices for a list of rank 2}}
      %p = attn.member %j in %x[%h, %i] : tensor<?x?xi32>
      %t = arith.constant true
      attn.yield %t : i1
    }
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}
