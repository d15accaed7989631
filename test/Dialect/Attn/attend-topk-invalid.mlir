// RUN: %attn-opt %s --split-input-file --verify-diagnostics

// The rules of topk, and of its output.

!t = tensor<?x?x64xf32>
!n = tensor<?x?x8xi32>
attn.kernel @attend_c24_count(%q: !t, %k: !t) -> (x0: tensor<?x?x0xi32>) {
  // expected-error@below {{[attend_c24] a topk has a count of at least 1, not 0}}
  %r0 = attn.attend dims(b | i | j | c)
    q = %q[b, i, c] k = %k[b, j, c]
    reduce ids[n] = topk 0
    outputs ids[b, i, n]
    : (!t, !t) -> tensor<?x?x0xi32>
  attn.return %r0 : tensor<?x?x0xi32>
}

// -----

!t = tensor<?x?x64xf32>
!n = tensor<?x?x8xi32>
attn.kernel @attend_c24_dimension(%q: !t, %k: !t) -> (x0: !n) {
  // expected-error@below {{[attend_c24] the last index of output 'ids' is its rank 'i', of extent 8 in the type}}
  %r0 = attn.attend dims(b | i | j | c)
    q = %q[b, i, c] k = %k[b, j, c]
    reduce ids[i] = topk 8
    outputs ids[b, j, i]
    : (!t, !t) -> !n
  attn.return %r0 : !n
}

// -----

!t = tensor<?x?x64xf32>
!n = tensor<?x?x8xi32>
attn.kernel @attend_c24_other_dimension(%q: !t, %k: !t) -> (x0: tensor<?x?xf32>) {
  // expected-error@below {{[attend_c24] 'j' names the axis of ranks of a topk: an identifier that is no dimension}}
  %r0 = attn.attend dims(b | i | j | c)
    q = %q[b, i, c] k = %k[b, j, c]
    reduce ids[j] = topk 8
    outputs lse[b, i]
    : (!t, !t) -> tensor<?x?xf32>
  attn.return %r0 : tensor<?x?xf32>
}

// -----

!t = tensor<?x?x64xf32>
attn.kernel @attend_c24_extent(%q: !t, %k: !t) -> (x0: tensor<?x?x?xi32>) {
  // expected-error@below {{[attend_c24] the last index of output 'ids' is its rank 'n', of extent 8 in the type}}
  %r0 = attn.attend dims(b | i | j | c)
    q = %q[b, i, c] k = %k[b, j, c]
    reduce ids[n] = topk 8
    outputs ids[b, i, n]
    : (!t, !t) -> tensor<?x?x?xi32>
  attn.return %r0 : tensor<?x?x?xi32>
}

// -----

!t = tensor<?x?x64xf32>
!n = tensor<?x8x?xi32>
attn.kernel @attend_c24_last(%q: !t, %k: !t) -> (x0: !n) {
  // expected-error@below {{[attend_c24] the last index of output 'ids' is its rank 'n', of extent 8 in the type}}
  %r0 = attn.attend dims(b | i | j | c)
    q = %q[b, i, c] k = %k[b, j, c]
    reduce ids[n] = topk 8
    outputs ids[b, n, i]
    : (!t, !t) -> !n
  attn.return %r0 : !n
}

// -----

!t = tensor<?x?x64xf32>
!n = tensor<?x?x8xi32>
attn.kernel @attend_c5_topk(%q: !t, %k: !t) -> (x0: tensor<?x8xi32>) {
  // expected-error@below {{[attend_c5] output 'ids' must be indexed by 'b'}}
  %r0 = attn.attend dims(b | i | j | c)
    q = %q[b, i, c] k = %k[b, j, c]
    reduce ids[n] = topk 8
    outputs ids[i, n]
    : (!t, !t) -> tensor<?x8xi32>
  attn.return %r0 : tensor<?x8xi32>
}

// -----

!t = tensor<?x?x64xf32>
!n = tensor<?x?x8xf32>
attn.kernel @attend_c8_topk(%q: !t, %k: !t) -> (x0: !n) {
  // expected-error@below {{[attend_c8] output 'ids' has element type 'f32'; expected i32 or i64}}
  %r0 = attn.attend dims(b | i | j | c)
    q = %q[b, i, c] k = %k[b, j, c]
    reduce ids[n] = topk 8
    outputs ids[b, i, n]
    : (!t, !t) -> !n
  attn.return %r0 : !n
}

// -----

!t = tensor<?x?x64xf32>
!n = tensor<?x?x8xi32>
attn.kernel @attend_c18_topk(%q: !t, %k: !t) -> (x0: tensor<?x?xf32>) {
  // expected-error@below {{[attend_c18] an epilogue computes with numbers; 'ids' is a key}}
  %r0 = attn.attend dims(b | i | j | c)
    q = %q[b, i, c] k = %k[b, j, c]
    reduce ids[n] = topk 8
    epilogue(ids = %x) -> (y) {
      attn.yield %x : f32
    }
    outputs y[b, i]
    : (!t, !t) -> tensor<?x?xf32>
  attn.return %r0 : tensor<?x?xf32>
}

// -----

!t = tensor<?x?x64xf32>
attn.kernel @attend_reduce_rank(%q: !t, %k: !t) -> (x0: tensor<?x?xf32>) {
  %r0 = attn.attend dims(b | i | j | c)
    q = %q[b, i, c] k = %k[b, j, c]
    // expected-error@below {{[attend_reduce] a topk names the axis of its ranks: `reduce ids[n] = topk 8`}}
    reduce ids = topk 8
    outputs lse[b, i]
    : (!t, !t) -> tensor<?x?xf32>
  attn.return %r0 : tensor<?x?xf32>
}

// -----

!t = tensor<?x?x64xf32>
attn.kernel @attend_reduce_no_rank(%q: !t, %k: !t) -> (x0: tensor<?x?xf32>) {
  %r0 = attn.attend dims(b | i | j | c)
    q = %q[b, i, c] k = %k[b, j, c]
    // expected-error@below {{[attend_reduce] a topk alone has an axis of ranks}}
    reduce m[n] = max
    outputs lse[b, i]
    : (!t, !t) -> tensor<?x?xf32>
  attn.return %r0 : tensor<?x?xf32>
}
