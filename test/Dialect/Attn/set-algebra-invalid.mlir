// RUN: %attn-opt %s --split-input-file --verify-diagnostics

// Rules of set expressions.

attn.kernel @set_name(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>) -> (o: tensor<?x?x?x64xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    // expected-error@below {{[set_name] no set is called 'diagonal'; there are full, empty, causal, window, dilated, not_self, block_causal, prefix, global, sinks, lengths, same_segment, shared_prefix, mask, neighborhood, halo, disc, tokens, blocks, pages, diagonals, csr, bits, random_blocks and where}}
    set = diagonal
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// -----

attn.kernel @set_name_after_and(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>) -> (o: tensor<?x?x?x64xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    // expected-error@below {{[set_name] no set is called 'left'}}
    set = full and left
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// -----

attn.kernel @set_depth_parentheses(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>) -> (o: tensor<?x?x?x64xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    // expected-error@below {{[set_depth] more than 64 nested set expressions; name parts with `where`}}
    set = ((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((full))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// -----

attn.kernel @set_depth_not(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>) -> (o: tensor<?x?x?x64xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    // expected-error@below {{[set_depth] more than 64 nested set expressions}}
    set = not not not not not not not not not not not not not not not not not not not not not not not not not not not not not not not not not not not not not not not not not not not not not not not not not not not not not not not not not not not not not not not not not not not not not not full
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// -----

// A value that is no argument of a kernel has no known type.
func.func private @captured_type(%t: tensor<?x64xf32>, %n: index) {
  %o = attn.attend dims(| i | j | c, e)
    q = %t[i, c] k = %t[j, c] v = %t[j, e]
    // expected-error@below {{[captured_type] %n is no argument of the kernel; write its type: `%n : type`}}
    set = prefix<%n>
    outputs o[i, e] : (tensor<?x64xf32>, tensor<?x64xf32>, tensor<?x64xf32>) -> tensor<?x64xf32>
  return
}
