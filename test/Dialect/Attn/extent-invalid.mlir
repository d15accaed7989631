// RUN: %attn-opt %s --split-input-file --verify-diagnostics

attn.kernel @extent_c1_computed(%x: tensor<?x?xf32>) -> (m: tensor<?xf32>) {
  %m = attn.map dims(i, e) sum(e) (%u = %x[i, e], i = %i, e = %e) {
    %k = arith.addi %i, %e : index
    // expected-error@below {{[extent_c1] is the number of values of an index that the region of an attn.map takes}}
    %n = attn.extent %k : f32
    %y = arith.divf %u, %n : f32
    attn.yield %y : f32
  } -> [i] : (tensor<?x?xf32>) -> tensor<?xf32>
  attn.return %m : tensor<?xf32>
}

// -----

!t = tensor<?x?x64xf32>
attn.kernel @extent_c1_in_a_score(%q: !t, %k: !t, %v: !t) -> (o: !t) {
  %o = attn.attend dims(b | i | j | c, e)
    q = %q[b, i, c] k = %k[b, j, c] v = %v[b, j, e]
    score(%s, j = %j) {
      // expected-error@below {{[extent_c1] is the number of values of an index that the region of an attn.map takes}}
      %n = attn.extent %j : f32
      %y = arith.divf %s, %n : f32
      attn.yield %y : f32
    }
    outputs o[b, i, e] : (!t, !t, !t) -> !t
  attn.return %o : !t
}

// -----

attn.kernel @extent_c1_of_an_argument(%x: tensor<?xf32>, %w: index) -> (m: tensor<?xf32>) {
  %m = attn.map dims(i) (%u = %x[i]) {
    // expected-error@below {{[extent_c1] is the number of values of an index that the region of an attn.map takes}}
    %n = attn.extent %w : f32
    %y = arith.divf %u, %n : f32
    attn.yield %y : f32
  } -> [i] : (tensor<?xf32>) -> tensor<?xf32>
  attn.return %m : tensor<?xf32>
}
