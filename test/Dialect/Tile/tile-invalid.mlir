// RUN: %attn-opt %s --split-input-file --verify-diagnostics

// variant_c1
tile.program @p attributes {arg_names = [], num_outputs = 0, dim_names = [], num_batch = 0, share = array<i64>, features = array<i64: 8, 8>, arg_facts = []} {
  // expected-error@below {{[variant_c1] a block is a whole number of microtiles: 96x256 of 7x16}}
  tile.variant "v" attributes {block_rows = 96, block_keys = 256, tile_rows = 7, tile_keys = 16, threshold = 1.0 : f64} {
  }
}

// -----

tile.program @p attributes {arg_names = [], num_outputs = 0, dim_names = [], num_batch = 0, share = array<i64>, features = array<i64: 8, 8>, arg_facts = []} {
  // expected-error@below {{[variant_c1] a block is a whole number of microtiles: 96x256 of 0x16}}
  tile.variant "v" attributes {block_rows = 96, block_keys = 256, tile_rows = 0, tile_keys = 16, threshold = 1.0 : f64} {
  }
}

// -----

// for_c1
func.func private @f(%t: !tile.tile<[8] x f32>) {
  // expected-error@below {{[for_c1] the body takes, yields and returns the carried tiles}}
  %r = tile.for carry(%t : !tile.tile<[8] x f32>) solve {} do {
  ^bb0(%x: !tile.tile<[8] x f32>):
    tile.yield
  } -> !tile.tile<[8] x f32>
  return
}

// -----

func.func private @f(%t: !tile.tile<[8] x f32>) {
  // expected-error@below {{[for_c1] the body takes, yields and returns the carried tiles}}
  tile.for carry(%t : !tile.tile<[8] x f32>) solve {} do {
    tile.yield
  }
  return
}

// -----

// for_c2
func.func private @f(%t: !tile.tile<[8] x f32>, %q: !tile.tile<[8, 8] x f32>, %k: !tile.panels<8, 16, 256, true, f32>, %l: !tile.lists) {
  %r = tile.for carry(%t : !tile.tile<[8] x f32>) order %l : !tile.lists solve {} do {
  ^bb0(%x: !tile.tile<[8] x f32>):
    // expected-error@below {{[for_c2] keys and values are rows where queries go by lists, not '!tile.panels<8, 16, 256, true, f32>'}}
    %w, %s = tile.weigh dot(%q, %k) sums(%x) rescale() score {
    ^bb0(%d: f32):
      tile.yield %d : f32
    } gauge {} phi {
    ^bb0(%d: f32):
      tile.yield %d : f32
    } factor {} class {} {operandSegmentSizes = array<i32: 1, 1, 0, 1, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 1, 0>, sum_phis = array<i64: 0>, sum_classes = array<i64: -1>, sum_values = array<i64: -1>, sum_ops = array<i64: 0>, weight_phis = array<i64: 0>, weight_classes = array<i64: -1>} : !tile.tile<[8, 8] x f32>, !tile.panels<8, 16, 256, true, f32>, !tile.tile<[8] x f32> -> !tile.tile<[1, 256] x f32>, !tile.tile<[8] x f32>
    tile.yield %s : !tile.tile<[8] x f32>
  } -> !tile.tile<[8] x f32>
  return
}

// -----

func.func private @f(%w: !tile.tile<[6, 256] x f32>, %v: !tile.rows<8, f32>, %a: !tile.tile<[8, 8] x f32>) {
  %r = tile.for carry(%a : !tile.tile<[8, 8] x f32>) solve {} do {
  ^bb0(%x: !tile.tile<[8, 8] x f32>):
    // expected-error@below {{[for_c2] keys and values are panels where queries go by no lists, not '!tile.rows<8, f32>'}}
    %n = tile.accumulate %w, %v into %x : !tile.tile<[6, 256] x f32>, !tile.rows<8, f32>, !tile.tile<[8, 8] x f32> -> <[8, 8] x f32>
    tile.yield %n : !tile.tile<[8, 8] x f32>
  } -> !tile.tile<[8, 8] x f32>
  return
}

// -----

// lists_c1
tile.program @p attributes {arg_names = ["l"], num_outputs = 0, dim_names = ["b", "i", "j"], num_batch = 1, share = array<i64: 1>, features = array<i64: 8, 8>, arg_facts = []} {
^bb0(%list: tensor<?x?x?xi32>):
  // expected-error@below {{[lists_c1] one index for every axis of the list but the last, the query among them unless there are offsets; with offsets the block is 1}}
  %0 = tile.lists %list by affine_map<(b, i, j) -> (b)> block 1 : tensor<?x?x?xi32>
}

// -----

tile.program @p attributes {arg_names = ["l"], num_outputs = 0, dim_names = ["b", "i", "j"], num_batch = 1, share = array<i64: 1>, features = array<i64: 8, 8>, arg_facts = []} {
^bb0(%list: tensor<?x?xi32>):
  // expected-error@below {{[lists_c1] one index for every axis}}
  %0 = tile.lists %list by affine_map<(b, i, j) -> (b)> block 1 : tensor<?x?xi32>
}

// -----

tile.program @p attributes {arg_names = ["o", "l"], num_outputs = 0, dim_names = ["b", "i", "j"], num_batch = 1, share = array<i64: 1>, features = array<i64: 8, 8>, arg_facts = []} {
^bb0(%offsets: tensor<?x?xi32>, %list: tensor<?x?xi32>):
  // expected-error@below {{[lists_c1] one index for every axis}}
  %0 = tile.lists %list offsets %offsets : tensor<?x?xi32> by affine_map<(b, i, j) -> (b)> block 2 : tensor<?x?xi32>
}

// -----

tile.program @p attributes {arg_names = ["l"], num_outputs = 0, dim_names = ["b", "i", "j"], num_batch = 1, share = array<i64: 1>, features = array<i64: 8, 8>, arg_facts = []} {
^bb0(%list: tensor<?x?xi32>):
  // expected-error@below {{[lists_c1] one index for every axis}}
  %0 = tile.lists %list by affine_map<(b, i, j) -> (i)> block 0 : tensor<?x?xi32>
}

// -----

// phase_c1
tile.program @p attributes {arg_names = [], num_outputs = 0, dim_names = [], num_batch = 0, share = array<i64>, features = array<i64: 8, 8>, arg_facts = []} {
  tile.variant "v" attributes {block_rows = 96, block_keys = 256, tile_rows = 6, tile_keys = 16, threshold = 1.0 : f64} {
    // expected-error@below {{[phase_c1] there is one chunk or more, and a main phase with chunks, and no other, results in a state}}
    tile.phase "main" by 96 chunks 2 {
      tile.yield
    }
  }
}

// -----

tile.program @p attributes {arg_names = [], num_outputs = 0, dim_names = [], num_batch = 0, share = array<i64>, features = array<i64: 8, 8>, arg_facts = []} {
  tile.variant "v" attributes {block_rows = 96, block_keys = 256, tile_rows = 6, tile_keys = 16, threshold = 1.0 : f64} {
    // expected-error@below {{[phase_c1] there is one chunk or more}}
    %s = tile.phase "main" by 96 chunks 0 {
      %f = tile.fill 0.0 : !tile.tile<[8] x f32>
      %x = tile.save sums(%f) : !tile.tile<[8] x f32>
      tile.yield %x : !tile.state
    } : !tile.state
  }
}

// -----

// merge_c1
func.func private @f(%s: !tile.state) {
  // expected-error@below {{[merge_c1] one entry of ops and phis for each sum, and a gauge where there is a reference, and only there}}
  %x = tile.merge %s ops [0, 0] phis [0] {resultSegmentSizes = array<i32: 0, 1, 0>} gauge {} -> (!tile.tile<[8] x f32>)
  return
}

// -----

func.func private @f(%s: !tile.state) {
  // expected-error@below {{[merge_c1] one entry of ops and phis for each sum, and a gauge where there is a reference, and only there}}
  %r, %x = tile.merge %s ops [0] phis [0] {resultSegmentSizes = array<i32: 1, 1, 0>} gauge {} -> (!tile.tile<[8] x f32>, !tile.tile<[8] x f32>)
  return
}

// -----

// pack_c1
#k = affine_map<(b, i, j, c, e) -> (b, j, c)>
tile.program @p attributes {arg_names = ["k"], num_outputs = 0, dim_names = ["b", "i", "j", "c", "e"], num_batch = 1, share = array<i64: 1>, features = array<i64: 16, 8>, arg_facts = []} {
^bb0(%k: tensor<?x?x8xf32>):
  // expected-error@below {{[pack_c1] one map for each source, and extents that are together the 16 features, absent where one source has them all}}
  %0 = tile.pack %k, %k by [#k, #k] extents [8, 4] : tensor<?x?x8xf32>, tensor<?x?x8xf32> -> <16, 16, 256, true, f32>
}

// -----

#k = affine_map<(b, i, j, c, e) -> (b, j, c)>
tile.program @p attributes {arg_names = ["k"], num_outputs = 0, dim_names = ["b", "i", "j", "c", "e"], num_batch = 1, share = array<i64: 1>, features = array<i64: 16, 8>, arg_facts = []} {
^bb0(%k: tensor<?x?x8xf32>):
  // expected-error@below {{[pack_c1] one map for each source}}
  %0 = tile.pack %k, %k by [#k] extents [8, 8] : tensor<?x?x8xf32>, tensor<?x?x8xf32> -> <16, 16, 256, true, f32>
}

// -----

#k = affine_map<(b, i, j, c, e) -> (b, j)>
tile.program @p attributes {arg_names = ["k"], num_outputs = 0, dim_names = ["b", "i", "j", "c", "e"], num_batch = 1, share = array<i64: 1>, features = array<i64: 16, 8>, arg_facts = []} {
^bb0(%k: tensor<?x?x16xf32>):
  // expected-error@below {{[pack_c1] one map for each source}}
  %0 = tile.pack %k by [#k] : tensor<?x?x16xf32> -> <16, 16, 256, true, f32>
}

// -----

#k = affine_map<(b, i, j, c, e) -> (b, j, c)>
tile.program @p attributes {arg_names = ["k"], num_outputs = 0, dim_names = ["b", "i", "j", "c", "e"], num_batch = 1, share = array<i64: 1>, features = array<i64: 8, 8>, arg_facts = []} {
^bb0(%k: tensor<?x?x8xi8>):
  // expected-error@below {{[pack_c1] no producers or one for each source, which takes the element and the indices of the batch dimensions, the token and the feature, and yields one number}}
  %0 = tile.pack %k by [#k] through {
  ^bb0(%x: i8, %b: index, %j: index):
    %f = arith.sitofp %x : i8 to f32
    tile.yield %f : f32
  } : tensor<?x?x8xi8> -> <8, 16, 256, true, f32>
}

// -----

#k = affine_map<(b, i, j, c, e) -> (b, j, c)>
tile.program @p attributes {arg_names = ["k"], num_outputs = 0, dim_names = ["b", "i", "j", "c", "e"], num_batch = 1, share = array<i64: 1>, features = array<i64: 8, 8>, arg_facts = []} {
^bb0(%k: tensor<?x?x8xi8>):
  // expected-error@below {{[pack_c1] no producers or one for each source}}
  %0 = tile.pack %k by [#k] through {
  ^bb0(%x: i8, %b: index, %j: index, %c: index):
    tile.yield %x : i8
  } : tensor<?x?x8xi8> -> <8, 16, 256, true, f32>
}

// -----

// tile_load_c1
#q = affine_map<(b, i, j, c, e) -> (b, i, c)>
tile.program @p attributes {arg_names = ["q"], num_outputs = 0, dim_names = ["b", "i", "j", "c", "e"], num_batch = 1, share = array<i64: 1>, features = array<i64: 16, 8>, arg_facts = []} {
^bb0(%q: tensor<?x?x8xf32>):
  // expected-error@below {{[tile_load_c1] one map for each source, and extents that are together the 16 features, absent where one source has them all}}
  %0 = tile.load %q, %q by [#q, #q] : tensor<?x?x8xf32>, tensor<?x?x8xf32> -> <[96, 16] x f32>
}
