// RUN: %attn-opt %s --split-input-file --verify-diagnostics

// What comes out of an attend: classes, reductions, epilogues, columns, aggregates.

!t = tensor<?x?x64xf32>
!r = tensor<?x?xf32>
attn.normalizer @plain {
  attn.pass ref = none phi(%s) {
    attn.yield %s : f32
  } sums(n = value)
  attn.finish(%n) {
    attn.yield %n : f32
  } outputs(o) empty(0.0)
}
attn.kernel @attend_c5_epilogue_row(%q: !t, %k: !t, %v: !t) -> (x0: !r) {
  // expected-error@below {{[attend_c5] output 'y' has one number for each value feature: index it by 'e'}}
  %r0 = attn.attend dims(b | i | j | c, e)
    q = %q[b, i, c] k = %k[b, j, c] v = %v[b, j, e]
    normalize = @plain
    epilogue(o = %o) -> (y) {
      attn.yield %o : f32
    }
    outputs y[b, i]
    : (!t, !t, !t) -> (!r)
  attn.return %r0 : !r
}

// -----

!t = tensor<?x?x64xf32>
!r = tensor<?x?xf32>
attn.normalizer @classed {
  attn.pass ref = none phi(%s) {
    attn.yield %s : f32
  } sums(n = value in 2)
  attn.finish(%n) {
    attn.yield %n : f32
  } outputs(o) empty(0.0)
}
attn.kernel @attend_c16_missing(%q: !t, %k: !t, %v: !t) -> (x0: !t) {
  // expected-error@below {{[attend_c16] @classed sums over classes of keys; say which: `class(j = %j) { .. }`}}
  %r0 = attn.attend dims(b | i | j | c, e)
    q = %q[b, i, c] k = %k[b, j, c] v = %v[b, j, e]
    normalize = @classed
    outputs o[b, i, e]
    : (!t, !t, !t) -> (!t)
  attn.return %r0 : !t
}

// -----

!t = tensor<?x?x64xf32>
!r = tensor<?x?xf32>
attn.kernel @attend_c16_float(%q: !t, %k: !t, %v: !t) -> (x0: !t) {
  // expected-error@below {{[attend_c16] the class region yields one index, i64 or i32}}
  %r0 = attn.attend dims(b | i | j | c, e)
    q = %q[b, i, c] k = %k[b, j, c] v = %v[b, j, e]
    class(j = %j) {
      %x = arith.constant 0.0 : f32
      attn.yield %x : f32
    }
    outputs o[b, i, e]
    : (!t, !t, !t) -> (!t)
  attn.return %r0 : !t
}

// -----

!t = tensor<?x?x64xf32>
!r = tensor<?x?xf32>
attn.kernel @attend_c16_two(%q: !t, %k: !t, %v: !t) -> (x0: !t) {
  // expected-error@below {{[attend_c16] the class region yields one index, i64 or i32}}
  %r0 = attn.attend dims(b | i | j | c, e)
    q = %q[b, i, c] k = %k[b, j, c] v = %v[b, j, e]
    class(j = %j) {
      attn.yield %j, %j : index, index
    }
    outputs o[b, i, e]
    : (!t, !t, !t) -> (!t)
  attn.return %r0 : !t
}

// -----

!t = tensor<?x?x64xf32>
!r = tensor<?x?xf32>
attn.kernel @attend_c9_class(%q: !t, %k: !t, %v: !t) -> (x0: !t) {
  %r0 = attn.attend dims(b | i | j | c, e)
    q = %q[b, i, c] k = %k[b, j, c] v = %v[b, j, e]
    class(j = %j) {
      // expected-error@below {{[attend_c9] is not allowed here}}
      %x = "builtin.unrealized_conversion_cast"() : () -> i32
      attn.yield %x : i32
    }
    outputs o[b, i, e]
    : (!t, !t, !t) -> (!t)
  attn.return %r0 : !t
}

// -----

!t = tensor<?x?x64xf32>
!r = tensor<?x?xf32>
attn.kernel @attend_reduce(%q: !t, %k: !t, %v: !t) -> (x0: !r) {
  %r0 = attn.attend dims(b | i | j | c, e)
    q = %q[b, i, c] k = %k[b, j, c] v = %v[b, j, e]
    // expected-error@below {{[attend_reduce] a reduction is weighted, sum, max, min, argmax or topk}}
    reduce m = mean
    outputs m[b, i]
    : (!t, !t, !t) -> (!r)
  attn.return %r0 : !r
}

// -----

!t = tensor<?x?x64xf32>
!r = tensor<?x?xf32>
attn.kernel @attend_c17_twice(%q: !t, %k: !t, %v: !t) -> (x0: !r) {
  // expected-error@below {{[attend_c17] 'm' names two reductions or columns}}
  %r0 = attn.attend dims(b | i | j | c, e)
    q = %q[b, i, c] k = %k[b, j, c] v = %v[b, j, e]
    reduce m = max
    reduce m = min
    outputs m[b, i]
    : (!t, !t, !t) -> (!r)
  attn.return %r0 : !r
}

// -----

!t = tensor<?x?x64xf32>
!r = tensor<?x?xf32>
attn.kernel @attend_c17_column(%q: !t, %k: !t, %v: !t) -> (x0: !t) {
  // expected-error@below {{[attend_c17] 'm' names two reductions or columns}}
  %r0 = attn.attend dims(b | i | j | c, e)
    q = %q[b, i, c] k = %k[b, j, c] v = %v[b, j, e]
    reduce m = max
    columns m = sum(%w, %s) {
      attn.yield %w : f32
    }
    outputs o[b, i, e]
    : (!t, !t, !t) -> (!t)
  attn.return %r0 : !t
}

// -----

!t = tensor<?x?x64xf32>
!r = tensor<?x?xf32>
attn.kernel @attend_c17_identifier(%q: !t, %k: !t, %v: !t) -> (x0: !t) {
  // expected-error@below {{[attend_c17] 'm.x' is no identifier; use letters, digits and _}}
  %r0 = attn.attend dims(b | i | j | c, e)
    q = %q[b, i, c] k = %k[b, j, c] v = %v[b, j, e]
    reduce m.x = max
    outputs o[b, i, e]
    : (!t, !t, !t) -> (!t)
  attn.return %r0 : !t
}

// -----

!t = tensor<?x?x64xf32>
!r = tensor<?x?xf32>
attn.kernel @attend_c17_yield(%q: !t, %k: !t, %v: !t) -> (x0: !t) {
  // expected-error@below {{[attend_c17] end a reduction with 1 'f32'}}
  %r0 = attn.attend dims(b | i | j | c, e)
    q = %q[b, i, c] k = %k[b, j, c] v = %v[b, j, e]
    reduce m = sum(%s, j = %j) {
      attn.yield %j : index
    }
    outputs o[b, i, e]
    : (!t, !t, !t) -> (!t)
  attn.return %r0 : !t
}

// -----

!t = tensor<?x?x64xf64>
!r = tensor<?x?xf64>
attn.kernel @attend_c17_double(%q: !t, %k: !t, %v: !t) -> (x0: !t) {
  // expected-error@below {{[attend_c17] numbers in a reduction are 'f64'; write `%x : 'f64'`}}
  %r0 = attn.attend dims(b | i | j | c, e)
    q = %q[b, i, c] k = %k[b, j, c] v = %v[b, j, e]
    reduce m = sum(%s) {
      attn.yield %s : f32
    }
    outputs o[b, i, e]
    : (!t, !t, !t) -> (!t)
  attn.return %r0 : !t
}

// -----

!t = tensor<?x?x64xf32>
!r = tensor<?x?xf32>
attn.kernel @attend_c9_reduction(%q: !t, %k: !t, %v: !t) -> (x0: !t) {
  %r0 = attn.attend dims(b | i | j | c, e)
    q = %q[b, i, c] k = %k[b, j, c] v = %v[b, j, e]
    reduce m = sum(%s) {
      // expected-error@below {{[attend_c9] works on scalars here, not on 'f80'}}
      %x = arith.extf %s : f32 to f80
      attn.yield %s : f32
    }
    outputs o[b, i, e]
    : (!t, !t, !t) -> (!t)
  attn.return %r0 : !t
}

// -----

!t = tensor<?x?x64xf32>
!r = tensor<?x?xf32>
attn.normalizer @weightless {
  attn.pass ref = none phi(%s) {
    attn.yield %s : f32
  } sums(l = one)
  attn.finish(%l) {
    attn.yield %l : f32
  } outputs(l) empty(0.0)
}
attn.kernel @attend_c18_unknown(%q: !t, %k: !t, %v: !t) -> (x0: !r) {
  // expected-error@below {{[attend_c18] 'sum' is no output of @weightless, no reduction and no dimension of the epilogue}}
  %r0 = attn.attend dims(b | i | j | c, e)
    q = %q[b, i, c] k = %k[b, j, c] v = %v[b, j, e]
    normalize = @weightless
    epilogue(sum = %l) -> (y) {
      attn.yield %l : f32
    }
    outputs y[b, i]
    : (!t, !t, !t) -> (!r)
  attn.return %r0 : !r
}

// -----

!t = tensor<?x?x64xf32>
!r = tensor<?x?xf32>
attn.kernel @attend_c18_key(%q: !t, %k: !t, %v: !t) -> (x0: !r) {
  // expected-error@below {{[attend_c18] an epilogue computes with numbers; 'id' is a key}}
  %r0 = attn.attend dims(b | i | j | c, e)
    q = %q[b, i, c] k = %k[b, j, c] v = %v[b, j, e]
    reduce id = argmax
    epilogue(id = %x) -> (y) {
      attn.yield %x : f32
    }
    outputs y[b, i]
    : (!t, !t, !t) -> (!r)
  attn.return %r0 : !r
}

// -----

!t = tensor<?x?x64xf32>
!r = tensor<?x?xf32>
attn.kernel @attend_c18_yield(%q: !t, %k: !t, %v: !t) -> (x0: !r) {
  // expected-error@below {{[attend_c18] end the epilogue with 2 'f32'}}
  %r0 = attn.attend dims(b | i | j | c, e)
    q = %q[b, i, c] k = %k[b, j, c] v = %v[b, j, e]
    epilogue(lse = %l) -> (y, z) {
      attn.yield %l : f32
    }
    outputs y[b, i]
    : (!t, !t, !t) -> (!r)
  attn.return %r0 : !r
}

// -----

!t = tensor<?x?x64xf32>
!r = tensor<?x?xf32>
attn.kernel @attend_c18_twice(%q: !t, %k: !t, %v: !t) -> (x0: !r) {
  // expected-error@below {{[attend_c18] 'y' is no identifier, or named twice}}
  %r0 = attn.attend dims(b | i | j | c, e)
    q = %q[b, i, c] k = %k[b, j, c] v = %v[b, j, e]
    epilogue(lse = %l) -> (y, y) {
      attn.yield %l, %l : f32, f32
    }
    outputs y[b, i]
    : (!t, !t, !t) -> (!r)
  attn.return %r0 : !r
}

// -----

!t = tensor<?x?x64xf64>
!r = tensor<?x?xf64>
attn.kernel @attend_c18_double(%q: !t, %k: !t, %v: !t) -> (x0: !r) {
  // expected-error@below {{[attend_c18] numbers in the epilogue are 'f64'; write `%x : 'f64'`}}
  %r0 = attn.attend dims(b | i | j | c, e)
    q = %q[b, i, c] k = %k[b, j, c] v = %v[b, j, e]
    epilogue(lse = %l) -> (y) {
      attn.yield %l : f32
    }
    outputs y[b, i]
    : (!t, !t, !t) -> (!r)
  attn.return %r0 : !r
}

// -----

!t = tensor<?x?x64xf32>
!r = tensor<?x?xf32>
attn.kernel @attend_c9_epilogue(%q: !t, %k: !t, %v: !t) -> (x0: !r) {
  %r0 = attn.attend dims(b | i | j | c, e)
    q = %q[b, i, c] k = %k[b, j, c] v = %v[b, j, e]
    epilogue(lse = %l) -> (y) {
      // expected-error@below {{[attend_c9] is not allowed here}}
      %x = attn.set.full
      attn.yield %l : f32
    }
    outputs y[b, i]
    : (!t, !t, !t) -> (!r)
  attn.return %r0 : !r
}

// -----

!t = tensor<?x?x64xf32>
!r = tensor<?x?xf32>
attn.kernel @index_name_epilogue(%q: !t, %k: !t, %v: !t) -> (x0: !r) {
  %r0 = attn.attend dims(b | i | j | c, e)
    q = %q[b, i, c] k = %k[b, j, c] v = %v[b, j, e]
    // expected-error@below {{[index_name] an epilogue is a number for each query and value feature; 'j' is neither, nor a batch dimension}}
    epilogue(j = %j) -> (y) {
      attn.yield %j : index
    }
    outputs y[b, i]
    : (!t, !t, !t) -> (!r)
  attn.return %r0 : !r
}

// -----

!t = tensor<?x?x64xf32>
!r = tensor<?x?xf32>
attn.kernel @index_name_epilogue_twice(%q: !t, %k: !t, %v: !t) -> (x0: !r) {
  %r0 = attn.attend dims(b | i | j | c, e)
    q = %q[b, i, c] k = %k[b, j, c] v = %v[b, j, e]
    // expected-error@below {{[index_name] 'i' is given twice}}
    epilogue(i = %i, i = %j) -> (y) {
      attn.yield %j : index
    }
    outputs y[b, i]
    : (!t, !t, !t) -> (!r)
  attn.return %r0 : !r
}

// -----

!t = tensor<?x?x64xf32>
!r = tensor<?x?xf32>
attn.kernel @region_empty_epilogue(%q: !t, %k: !t, %v: !t) -> (x0: !r) {
  %r0 = attn.attend dims(b | i | j | c, e)
    q = %q[b, i, c] k = %k[b, j, c] v = %v[b, j, e]
    // expected-error@below {{[region_empty] the region is empty}}
    epilogue(lse = %l) -> (y) {
    }
    outputs y[b, i]
    : (!t, !t, !t) -> (!r)
  attn.return %r0 : !r
}

// -----

!t = tensor<?x?x64xf32>
!r = tensor<?x?xf32>
attn.kernel @attend_clause_epilogue(%q: !t, %k: !t, %v: !t) -> (x0: !r) {
  %r0 = attn.attend dims(b | i | j | c, e)
    q = %q[b, i, c] k = %k[b, j, c] v = %v[b, j, e]
    epilogue(lse = %l) -> (y) {
      attn.yield %l : f32
    }
    // expected-error@below {{[attend_clause] 'epilogue' is given twice}}
    epilogue(lse = %l) -> (z) {
    }
    outputs y[b, i]
    : (!t, !t, !t) -> (!r)
  attn.return %r0 : !r
}

// -----

!t = tensor<?x?x64xf32>
!r = tensor<?x?xf32>
attn.normalizer @weightless {
  attn.pass ref = none phi(%s) {
    attn.yield %s : f32
  } sums(l = one)
  attn.finish(%l) {
    attn.yield %l : f32
  } outputs(l) empty(0.0)
}
attn.kernel @attend_c19_weight(%q: !t, %k: !t, %v: !t) -> (x0: !r) {
  // expected-error@below {{[attend_c19] @weightless has no output o of a sum of values, so pairs have no weight; reductions of it are sum, max, min, argmax and topk}}
  %r0 = attn.attend dims(b | i | j | c, e)
    q = %q[b, i, c] k = %k[b, j, c] v = %v[b, j, e]
    normalize = @weightless
    columns m = sum(%w, %s) {
      attn.yield %w : f32
    }
    outputs m[b, j]
    : (!t, !t, !t) -> (!r)
  attn.return %r0 : !r
}

// -----

!t = tensor<?x?x64xf32>
!r = tensor<?x?xf32>
attn.normalizer @weightless {
  attn.pass ref = none phi(%s) {
    attn.yield %s : f32
  } sums(l = one)
  attn.finish(%l) {
    attn.yield %l : f32
  } outputs(l) empty(0.0)
}
attn.kernel @attend_c19_weighted(%q: !t, %k: !t, %v: !t) -> (x0: !r) {
  // expected-error@below {{[attend_c19] @weightless has no output o of a sum of values}}
  %r0 = attn.attend dims(b | i | j | c, e)
    q = %q[b, i, c] k = %k[b, j, c] v = %v[b, j, e]
    normalize = @weightless
    reduce m = weighted
    outputs m[b, i]
    : (!t, !t, !t) -> (!r)
  attn.return %r0 : !r
}

// -----

!t = tensor<?x?x64xf32>
!r = tensor<?x?xf32>
attn.normalizer @weightless {
  attn.pass ref = none phi(%s) {
    attn.yield %s : f32
  } sums(l = one)
  attn.finish(%l) {
    attn.yield %l : f32
  } outputs(l) empty(0.0)
}
attn.kernel @attend_c19_aggregate_weight(%q: !t, %k: !t, %v: !t) -> (x0: !t) {
  // expected-error@below {{[attend_c19] @weightless has no output o}}
  %r0 = attn.attend dims(b | i | j | c, e)
    q = %q[b, i, c] k = %k[b, j, c] v = %v[b, j, e]
    normalize = @weightless
    aggregate m = %v[b, i, e]
    outputs m[b, j, e]
    : (!t, !t, !t) -> (!t)
  attn.return %r0 : !t
}

// -----

!t = tensor<?x?x64xf32>
!r = tensor<?x?xf32>
attn.kernel @attend_c19_yield(%q: !t, %k: !t, %v: !t) -> (x0: !r) {
  // expected-error@below {{[attend_c19] end a column with 1 'f32'}}
  %r0 = attn.attend dims(b | i | j | c, e)
    q = %q[b, i, c] k = %k[b, j, c] v = %v[b, j, e]
    columns m = sum(%w, %s, j = %j) {
      attn.yield %j : index
    }
    outputs m[b, j]
    : (!t, !t, !t) -> (!r)
  attn.return %r0 : !r
}

// -----

!t = tensor<?x?x64xf64>
!r = tensor<?x?xf64>
attn.kernel @attend_c19_double(%q: !t, %k: !t, %v: !t) -> (x0: !r) {
  // expected-error@below {{[attend_c19] numbers in a column are 'f64'; write `%x : 'f64'`}}
  %r0 = attn.attend dims(b | i | j | c, e)
    q = %q[b, i, c] k = %k[b, j, c] v = %v[b, j, e]
    columns m = sum(%w, %s) {
      attn.yield %w : f32
    }
    outputs m[b, j]
    : (!t, !t, !t) -> (!r)
  attn.return %r0 : !r
}

// -----

!t = tensor<?x?x64xf32>
!r = tensor<?x?xf32>
attn.kernel @attend_c19_tensor(%q: !t, %k: !t, %v: !t, %x: f32) -> (x0: !t) {
  %r0 = attn.attend dims(b | i | j | c, e)
    q = %q[b, i, c] k = %k[b, j, c] v = %v[b, j, e]
    aggregate m = %x
    // expected-error@below {{[attend_c19] what is aggregated is a tensor}}
    outputs m[b, j, e]
    : (!t, !t, !t) -> (!t)
  attn.return %r0 : !t
}

// -----

!t = tensor<?x?x64xf32>
!r = tensor<?x?xf32>
attn.kernel @attend_c19_type(%q: !t, %k: !t, %v: !t, %x: tensor<?x?x64xi32>) -> (x0: !t) {
  // expected-error@below {{[attend_c19] what is aggregated is a tensor of floats like q, with one index for each axis, not 'tensor<?x?x64xi32>'}}
  %r0 = attn.attend dims(b | i | j | c, e)
    q = %q[b, i, c] k = %k[b, j, c] v = %v[b, j, e]
    aggregate m = %x[b, i, e]
    outputs m[b, j, e]
    : (!t, !t, !t) -> (!t)
  attn.return %r0 : !t
}

// -----

!t = tensor<?x?x64xf32>
!r = tensor<?x?xf32>
attn.kernel @attend_c19_like_q(%q: !t, %k: !t, %v: !t, %x: tensor<?x?x64xf64>) -> (x0: !t) {
  // expected-error@below {{[attend_c19] what is aggregated is a tensor of floats like q}}
  %r0 = attn.attend dims(b | i | j | c, e)
    q = %q[b, i, c] k = %k[b, j, c] v = %v[b, j, e]
    aggregate m = %x[b, i, e]
    outputs m[b, j, e]
    : (!t, !t, !t) -> (!t)
  attn.return %r0 : !t
}

// -----

!t = tensor<?x?x64xf32>
!r = tensor<?x?xf32>
attn.kernel @attend_c19_rank(%q: !t, %k: !t, %v: !t) -> (x0: !t) {
  // expected-error@below {{[attend_c19] what is aggregated is a tensor of floats like q, with one index for each axis}}
  %r0 = attn.attend dims(b | i | j | c, e)
    q = %q[b, i, c] k = %k[b, j, c] v = %v[b, j, e]
    aggregate m = %v[b, i]
    outputs m[b, j, e]
    : (!t, !t, !t) -> (!t)
  attn.return %r0 : !t
}

// -----

!t = tensor<?x?x64xf32>
!r = tensor<?x?xf32>
attn.kernel @attend_c19_key(%q: !t, %k: !t, %v: !t) -> (x0: !t) {
  // expected-error@below {{[attend_c19] what is aggregated is indexed by the batch dimensions, the query, a feature and constants, each dimension once}}
  %r0 = attn.attend dims(b | i | j | c, e)
    q = %q[b, i, c] k = %k[b, j, c] v = %v[b, j, e]
    aggregate m = %v[b, j, e]
    outputs m[b, j, e]
    : (!t, !t, !t) -> (!t)
  attn.return %r0 : !t
}

// -----

!t = tensor<?x?x64xf32>
!r = tensor<?x?xf32>
attn.kernel @attend_c19_twice(%q: !t, %k: !t, %v: !t, %x: !t) -> (x0: !t) {
  // expected-error@below {{[attend_c19] what is aggregated is indexed by the batch dimensions, the query, a feature and constants, each dimension once}}
  %r0 = attn.attend dims(b | i | j | c, e)
    q = %q[b, i, c] k = %k[b, j, c] v = %v[b, j, e]
    aggregate m = %x[i, i, e]
    outputs m[b, j, e]
    : (!t, !t, !t) -> (!t)
  attn.return %r0 : !t
}

// -----

!t = tensor<?x?x64xf32>
!r = tensor<?x?xf32>
attn.kernel @attend_c19_query(%q: !t, %k: !t, %v: !t) -> (x0: !t) {
  // expected-error@below {{[attend_c19] what is aggregated is indexed by the query and one feature}}
  %r0 = attn.attend dims(b | i | j | c, e)
    q = %q[b, i, c] k = %k[b, j, c] v = %v[b, j, e]
    aggregate m = %v[b, 0, e]
    outputs m[b, j, e]
    : (!t, !t, !t) -> (!t)
  attn.return %r0 : !t
}

// -----

!t = tensor<?x?x64xf32>
!r = tensor<?x?xf32>
attn.kernel @attend_c19_features(%q: !t, %k: !t, %v: !t, %x: tensor<?x64x64xf32>) -> (x0: !t) {
  // expected-error@below {{[attend_c19] what is aggregated is indexed by the query and one feature}}
  %r0 = attn.attend dims(b | i | j | c, e)
    q = %q[b, i, c] k = %k[b, j, c] v = %v[b, j, e]
    aggregate m = %x[i, c, e]
    outputs m[b, j, e]
    : (!t, !t, !t) -> (!t)
  attn.return %r0 : !t
}

// -----

!t = tensor<?x?x64xf32>
!r = tensor<?x?xf32>
attn.kernel @attend_c19_output(%q: !t, %k: !t, %v: !t) -> (x0: !t) {
  // expected-error@below {{[attend_c19] output 'm' has the feature of what is aggregated, 'c', and no other}}
  %r0 = attn.attend dims(b | i | j | c, e)
    q = %q[b, i, c] k = %k[b, j, c] v = %v[b, j, e]
    aggregate m = %q[b, i, c]
    outputs m[b, j, e]
    : (!t, !t, !t) -> (!t)
  attn.return %r0 : !t
}

// -----

!t = tensor<?x?x64xf32>
!r = tensor<?x?xf32>
attn.kernel @attend_c19_no_feature(%q: !t, %k: !t, %v: !t) -> (x0: !r) {
  // expected-error@below {{[attend_c19] output 'm' has the feature of what is aggregated, 'e', and no other}}
  %r0 = attn.attend dims(b | i | j | c, e)
    q = %q[b, i, c] k = %k[b, j, c] v = %v[b, j, e]
    aggregate m = %v[b, i, e]
    outputs m[b, j]
    : (!t, !t, !t) -> (!r)
  attn.return %r0 : !r
}

// -----

!t = tensor<?x?x64xf32>
!r = tensor<?x?xf32>
attn.kernel @attend_c3_aggregate(%q: !t, %k: !t, %v: !t, %x: tensor<?x?x?xf32>) -> (x0: !t) {
  // expected-error@below {{[attend_c3] feature 'e' of an aggregate has a dynamic extent}}
  %r0 = attn.attend dims(b | i | j | c, e)
    q = %q[b, i, c] k = %k[b, j, c] v = %v[b, j, e]
    aggregate m = %x[b, i, e]
    outputs m[b, j, e]
    : (!t, !t, !t) -> (!t)
  attn.return %r0 : !t
}

// -----

!t = tensor<?x?x64xf32>
!r = tensor<?x?xf32>
attn.kernel @attend_c6_aggregate(%q: !t, %k: !t, %v: !t, %x: tensor<?x?x32xf32>) -> (x0: !t) {
  // expected-error@below {{[attend_c6]}}
  %r0 = attn.attend dims(b | i | j | c, e)
    q = %q[b, i, c] k = %k[b, j, c] v = %v[b, j, e]
    aggregate m = %x[b, i, e]
    outputs m[b, j, e]
    : (!t, !t, !t) -> (!t)
  attn.return %r0 : !t
}

// -----

!t = tensor<?x?x64xf32>
!r = tensor<?x?xf32>
attn.normalizer @with_b(%b) {
  attn.pass ref = none phi(%s) {
    attn.yield %b : f32
  } sums(n = value)
  attn.finish(%n) {
    attn.yield %n : f32
  } outputs(o) empty(0.0)
}
attn.kernel @attend_c20_epilogue(%q: !t, %k: !t, %v: !t) -> (x0: !t) {
  // expected-error@below {{[attend_c20] output 'y' depends on values, and there is no v}}
  %r0 = attn.attend dims(b | i | j | c)
    q = %q[b, i, c] k = %k[b, j, c]
    normalize = @with_b(1.0)
    epilogue(o = %o) -> (y) {
      attn.yield %o : f32
    }
    outputs y[b, i, c]
    : (!t, !t) -> (!t)
  attn.return %r0 : !t
}
