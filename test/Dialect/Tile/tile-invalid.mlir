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
