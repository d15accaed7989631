// RUN: %attn-opt %s --split-input-file --verify-diagnostics

// Rules of attn.map.

attn.kernel @map_c1_twice(%x: tensor<?x8xf32>, %g: tensor<?xf32>) -> (y: tensor<?x8xf32>) {
  // expected-error@below {{[map_c1] the dimension name 'i' is used twice}}
  %y = attn.map dims(i, i) (%a = %x[i, i]) {
    attn.yield %a : f32
  } -> [i, i] : (tensor<?x8xf32>) -> tensor<?x8xf32>
  attn.return %y : tensor<?x8xf32>
}

// -----

attn.kernel @map_c1_many(%x: tensor<?x8xf32>, %g: tensor<?xf32>) -> (y: tensor<?x8xf32>) {
  // expected-error@below {{[map_c1] 9 dimensions; there are at most 8}}
  %y = attn.map dims(a, b, c, d, e, f, g, h, i) (%a = %x[a, b]) {
    attn.yield %a : f32
  } -> [a, b] : (tensor<?x8xf32>) -> tensor<?x8xf32>
  attn.return %y : tensor<?x8xf32>
}

// -----

attn.kernel @map_c2_rank(%x: tensor<?x8xf32>, %g: tensor<?xf32>) -> (y: tensor<?x8xf32>) {
  // expected-error@below {{[map_c2] operand 0 has rank 2 and 1 indices}}
  %y = attn.map dims(i, e) (%a = %x[i]) {
    attn.yield %a : f32
  } -> [i, e] : (tensor<?x8xf32>) -> tensor<?x8xf32>
  attn.return %y : tensor<?x8xf32>
}

// -----

attn.kernel @map_c3_missing(%x: tensor<?x8xf32>, %g: tensor<?xf32>) -> (y: tensor<?xf32>) {
  // expected-error@below {{[map_c3] the result must be indexed by 'e', or it must be summed over: sum(e)}}
  %y = attn.map dims(i, e) (%a = %x[i, e]) {
    attn.yield %a : f32
  } -> [i] : (tensor<?x8xf32>) -> tensor<?xf32>
  attn.return %y : tensor<?xf32>
}

// -----

attn.kernel @map_c3_summed(%x: tensor<?x8xf32>, %g: tensor<?xf32>) -> (y: tensor<?x8xf32>) {
  // expected-error@below {{[map_c3] the result may not be indexed by 'e', which is summed over}}
  %y = attn.map dims(i, e) sum(e) (%a = %x[i, e]) {
    attn.yield %a : f32
  } -> [i, e] : (tensor<?x8xf32>) -> tensor<?x8xf32>
  attn.return %y : tensor<?x8xf32>
}

// -----

attn.kernel @map_c3_plain(%x: tensor<?x8xf32>, %g: tensor<?xf32>) -> (y: tensor<?x8xf32>) {
  // expected-error@below {{[map_c3] the result is indexed by plain dimensions}}
  %y = attn.map dims(i, e) (%a = %x[i, e]) {
    attn.yield %a : f32
  } -> [i, e floordiv 2] : (tensor<?x8xf32>) -> tensor<?x8xf32>
  attn.return %y : tensor<?x8xf32>
}

// -----

attn.kernel @map_c3_twice(%x: tensor<?x8xf32>, %g: tensor<?xf32>) -> (y: tensor<?x8xf32>) {
  // expected-error@below {{[map_c3] the result is indexed twice by 'i'}}
  %y = attn.map dims(i, e) (%a = %x[i, e]) {
    attn.yield %a : f32
  } -> [i, i] : (tensor<?x8xf32>) -> tensor<?x8xf32>
  attn.return %y : tensor<?x8xf32>
}

// -----

attn.kernel @map_c3_none(%x: tensor<?x8xf32>, %g: tensor<?xf32>) -> (y: tensor<?x8xf32>) {
  // expected-error@below {{[map_c3] the result has one dimension or more; add one of extent 1}}
  %y = attn.map dims(i, e) sum(i, e) (%a = %x[i, e]) {
    attn.yield %a : f32
  } -> [] : (tensor<?x8xf32>) -> tensor<f32>
  attn.return %x : tensor<?x8xf32>
}

// -----

attn.kernel @map_c4_twice(%x: tensor<?x8xf32>, %g: tensor<?xf32>) -> (y: tensor<?xf32>) {
  // expected-error@below {{[map_c4] 'e' is given twice}}
  %y = attn.map dims(i, e) max(e, e) (%a = %x[i, e]) {
    attn.yield %a : f32
  } -> [i] : (tensor<?x8xf32>) -> tensor<?xf32>
  attn.return %y : tensor<?xf32>
}

// -----

attn.kernel @map_c4_none(%x: tensor<?x8xf32>, %g: tensor<?xf32>) -> (y: tensor<?x8xf32>) {
  // expected-error@below {{[map_c4] name the dimensions: sum(h)}}
  %y = attn.map dims(i, e) sum() (%a = %x[i, e]) {
    attn.yield %a : f32
  } -> [i, e] : (tensor<?x8xf32>) -> tensor<?x8xf32>
  attn.return %y : tensor<?x8xf32>
}

// -----

attn.kernel @map_c5_static(%x: tensor<?x8xf32>, %g: tensor<?xf32>) -> (y: tensor<?x9xf32>) {
  // expected-error@below {{[map_c5] dimension 'e' has extent 8 elsewhere and 9 in the result}}
  %y = attn.map dims(i, e) (%a = %x[i, e]) {
    attn.yield %a : f32
  } -> [i, e] : (tensor<?x8xf32>) -> tensor<?x9xf32>
  attn.return %y : tensor<?x9xf32>
}

// -----

attn.kernel @map_c5_constant(%x: tensor<?x8xf32>, %g: tensor<?xf32>) -> (y: tensor<?xf32>) {
  // expected-error@below {{[map_c5] constant index 8 of operand 0 is outside extent 8}}
  %y = attn.map dims(i) (%a = %x[i, 8]) {
    attn.yield %a : f32
  } -> [i] : (tensor<?x8xf32>) -> tensor<?xf32>
  attn.return %y : tensor<?xf32>
}

// -----

attn.kernel @map_c5_quotient(%x: tensor<?x8xf32>, %g: tensor<3xf32>) -> (y: tensor<?x8xf32>) {
  // expected-error@below {{[map_c5] an axis of operand 1 has extent 3 where dimension 'e' of extent 8 floordiv 4 needs 2}}
  %y = attn.map dims(i, e) (%a = %x[i, e], %b = %g[e floordiv 4]) {
    attn.yield %a : f32
  } -> [i, e] : (tensor<?x8xf32>, tensor<3xf32>) -> tensor<?x8xf32>
  attn.return %y : tensor<?x8xf32>
}

// -----

attn.kernel @map_c5_unknown(%x: tensor<?x8xf32>, %g: tensor<?xf32>) -> (y: tensor<?x8x?xf32>) {
  // expected-error@below {{[map_c5] nothing says the extent of 'n': let it index an axis of an operand, or write it in the result's type}}
  %y = attn.map dims(i, e, n) (%a = %x[i, e]) {
    attn.yield %a : f32
  } -> [i, e, n] : (tensor<?x8xf32>) -> tensor<?x8x?xf32>
  attn.return %y : tensor<?x8x?xf32>
}

// -----

attn.kernel @map_c6_element(%g: tensor<?xf64>) -> (y: tensor<?xf64>) {
  // expected-error@below {{[map_c6] elements of operand 0 come as 'f64', not 'f32'; write `%x : 'f64' = ..`}}
  %y = attn.map dims(i) (%a = %g[i]) {
    attn.yield %a : f32
  } -> [i] : (tensor<?xf64>) -> tensor<?xf64>
  attn.return %y : tensor<?xf64>
}

// -----

attn.kernel @map_c6_yield(%x: tensor<?x8xf32>, %g: tensor<?xf32>) -> (y: tensor<?xi32>) {
  // expected-error@below {{[map_c6] end the region with `attn.yield %z : 'i32'`}}
  %y = attn.map dims(i) (%a = %g[i]) {
    attn.yield %a : f32
  } -> [i] : (tensor<?xf32>) -> tensor<?xi32>
  attn.return %y : tensor<?xi32>
}

// -----

attn.kernel @map_c8_result(%x: tensor<?x8xf32>, %g: tensor<?xf32>) -> (y: tensor<?xi1>) {
  // expected-error@below {{[map_c8] the result has element type 'i1'; there are f64, f32, bf16, f16, i64, i32 and i8}}
  %y = attn.map dims(i) (%a = %g[i]) {
    attn.yield %a : f32
  } -> [i] : (tensor<?xf32>) -> tensor<?xi1>
  attn.return %y : tensor<?xi1>
}

// -----

attn.kernel @map_c7(%g: tensor<?xf32>) -> (y: tensor<?xf32>) {
  %y = attn.map dims(i) (%a = %g[i]) {
    // expected-error@below {{[map_c7] is not allowed here; write it in arith, math, attn.load, attn.member and attn.random}}
    %z = scf.execute_region -> f32 { scf.yield %a : f32 }
    attn.yield %z : f32
  } -> [i] : (tensor<?xf32>) -> tensor<?xf32>
  attn.return %y : tensor<?xf32>
}

// -----

attn.kernel @map_types_scalar(%g: tensor<?xf32>, %w: f32) -> (y: tensor<?xf32>) {
  %y = attn.map dims(i) (%a = %g[i], %b = %w[]) {
    attn.yield %a : f32
  } -> [i]
    // expected-error@below {{[map_types] operands and result of a map are ranked tensors, not 'f32'; the region may use scalars by name}}
    : (tensor<?xf32>, f32) -> tensor<?xf32>
  attn.return %y : tensor<?xf32>
}

// -----

attn.kernel @map_types_count(%g: tensor<?xf32>) -> (y: tensor<?xf32>) {
  %y = attn.map dims(i) (%a = %g[i]) {
    attn.yield %a : f32
  } -> [i]
    // expected-error@below {{[map_types] write the type of every operand and of the result: `: (X, G) -> Y`}}
    : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
  attn.return %y : tensor<?xf32>
}

// -----

attn.kernel @map_index(%g: tensor<?xf32>) -> (y: tensor<?xf32>) {
  // expected-error@below {{[index_name] 'j' is not in dims(i); write an index as `i = %i` and an operand as `%x = %o[i]`}}
  %y = attn.map dims(i) (j = %j, %a = %g[i]) {
    attn.yield %a : f32
  } -> [i] : (tensor<?xf32>) -> tensor<?xf32>
  attn.return %y : tensor<?xf32>
}
