// RUN: %attn-opt %s --split-input-file --verify-diagnostics --tile-to-vector

// Tile programs that this backend does not lower.

tile.program @p attributes {arg_names = ["q"], num_outputs = 0, dim_names = ["i", "j", "c", "e"], num_batch = 0, share = array<i64>,
                           features = array<i64: 8, 8>, arg_facts = [array<i64: -1, 0, -1, 1, 0, -1, 0, 2, -1, 1, 0, 8, 0>]} {
^bb0(%q: tensor<?x8xf32>):
  // expected-error@below {{[unsupported_variant] a variant is one pack phase and one main phase}}
  tile.variant "v" attributes {block_rows = 96, block_keys = 256, tile_rows = 6, tile_keys = 16, threshold = 32.0 : f64} {
  }
}

// -----

#m = affine_map<(i, j, c, e) -> (j, c)>
#l = affine_map<(i, j, c, e) -> (i, c)>
tile.program @p attributes {arg_names = ["q"], num_outputs = 0, dim_names = ["i", "j", "c", "e"], num_batch = 0, share = array<i64>,
                           features = array<i64: 8, 8>, arg_facts = [array<i64: -1, 0, -1, 1, 0, -1, 0, 2, -1, 1, 0, 8, 0>]} {
^bb0(%q: tensor<?x8xf32>):
    // expected-error@below {{[unsupported_variant] a variant is one pack phase and one main phase}}
  tile.variant "v" attributes {block_rows = 96, block_keys = 256, tile_rows = 6, tile_keys = 16, threshold = 32.0 : f64} {
    %k = tile.phase "pack" by 256 {
      %p = tile.pack %q by [#m] : tensor<?x8xf32> -> <8, 16, 256, true, f32>
      tile.yield %p : !tile.panels<8, 16, 256, true, f32>
    } : !tile.panels<8, 16, 256, true, f32>
  }
}

// -----

#m = affine_map<(i, j, c, e) -> (j, c)>
#l = affine_map<(i, j, c, e) -> (i, c)>
tile.program @p attributes {arg_names = ["q"], num_outputs = 0, dim_names = ["i", "j", "c", "e"], num_batch = 0, share = array<i64>,
                           features = array<i64: 8, 8>, arg_facts = [array<i64: -1, 0, -1, 1, 0, -1, 0, 2, -1, 1, 0, 8, 0>]} {
^bb0(%q: tensor<?x8xf32>):
    // expected-error@below {{[unsupported_variant] microtiles are two vectors wide here: 16 keys, not 8}}
  tile.variant "v" attributes {block_rows = 96, block_keys = 128, tile_rows = 6, tile_keys = 8, threshold = 32.0 : f64} {
    %k = tile.phase "pack" by 128 {
      %p = tile.pack %q by [#m] : tensor<?x8xf32> -> <8, 8, 128, true, f32>
      tile.yield %p : !tile.panels<8, 8, 128, true, f32>
    } : !tile.panels<8, 8, 128, true, f32>
    tile.phase "main" by 96 {
      tile.yield
    }
  }
}

// -----

#m = affine_map<(i, j, c, e) -> (j, c)>
#l = affine_map<(i, j, c, e) -> (i, c)>
tile.program @p attributes {arg_names = ["q"], num_outputs = 0, dim_names = ["i", "j", "c", "e"], num_batch = 0, share = array<i64>,
                           features = array<i64: 8, 8>, arg_facts = [array<i64: -1, 0, -1, 1, 0, -1, 0, 2, -1, 1, 0, 8, 0>]} {
^bb0(%q: tensor<?x8xf32>):
  tile.variant "v" attributes {block_rows = 96, block_keys = 256, tile_rows = 6, tile_keys = 16, threshold = 32.0 : f64} {
    %k = tile.phase "pack" by 256 {
      %p = tile.pack %q by [#m] : tensor<?x8xf32> -> <8, 16, 256, true, f32>
      tile.yield %p : !tile.panels<8, 16, 256, true, f32>
    } : !tile.panels<8, 16, 256, true, f32>
    // expected-error@below {{[unsupported_main] a main phase has one load, one for and one finish}}
    tile.phase "main" by 96 {
      tile.yield
    }
  }
}

// -----

#m = affine_map<(i, j, c, e) -> (j, c)>
#l = affine_map<(i, j, c, e) -> (i, c)>
tile.program @p attributes {arg_names = ["q"], num_outputs = 0, dim_names = ["i", "j", "c", "e"], num_batch = 0, share = array<i64>,
                           features = array<i64: 8, 8>, arg_facts = [array<i64: -1, 0, -1, 1, 0, -1, 0, 2, -1, 1, 0, 8, 0>]} {
^bb0(%q: tensor<?x8xf32>):
  tile.variant "v" attributes {block_rows = 96, block_keys = 256, tile_rows = 6, tile_keys = 16, threshold = 32.0 : f64} {
    %k = tile.phase "pack" by 256 {
      %p = tile.pack %q by [#m] : tensor<?x8xf32> -> <8, 16, 256, true, f32>
      tile.yield %p : !tile.panels<8, 16, 256, true, f32>
    } : !tile.panels<8, 16, 256, true, f32>
    tile.phase "main" by 96 {
      // expected-error@below {{[unsupported_main] has no lowering in a main phase}}
      %c = arith.constant 1 : i32
      tile.yield
    }
  }
}

// -----

#m = affine_map<(i, j, c, e) -> (j, c)>
#l = affine_map<(i, j, c, e) -> (i, c)>
tile.program @p attributes {arg_names = ["q"], num_outputs = 0, dim_names = ["i", "j", "c", "e"], num_batch = 0, share = array<i64>,
                           features = array<i64: 8, 8>, arg_facts = [array<i64: -1, 0, -1, 1, 0, -1, 0, 2, -1, 1, 0, 8, 0>]} {
^bb0(%q: tensor<?x8xf32>):
  tile.variant "v" attributes {block_rows = 96, block_keys = 256, tile_rows = 6, tile_keys = 16, threshold = 32.0 : f64} {
    %k = tile.phase "pack" by 256 {
      %p = tile.pack %q by [#m] : tensor<?x8xf32> -> <8, 16, 256, true, f32>
      tile.yield %p : !tile.panels<8, 16, 256, true, f32>
    } : !tile.panels<8, 16, 256, true, f32>
    tile.phase "main" by 96 {
      %l = tile.load %q by [#l] : tensor<?x8xf32> -> <[96, 8] x f32>
      tile.for carry() solve {} do {
        // expected-error@below {{[unsupported_main] has no lowering in a strip}}
        %c = arith.constant 1 : i32
        tile.yield
      }
      tile.finish sums() to %q attributes {maps = [#l], yields = array<i64: 0>, empty = [0.0], order = array<i64>} {
        tile.yield
      } : tensor<?x8xf32>
      tile.yield
    }
  }
}

// -----

#m = affine_map<(i, j, c, e) -> (j, c)>
#l = affine_map<(i, j, c, e) -> (i, c)>
tile.program @p attributes {arg_names = ["q"], num_outputs = 0, dim_names = ["i", "j", "c", "e"], num_batch = 0, share = array<i64>,
                           features = array<i64: 8, 8>, arg_facts = [array<i64: -1, 0, -1, 1, 0, -1, 0, 2, -1, 1, 0, 8, 0>]} {
^bb0(%q: tensor<?x8xf32>):
  tile.variant "v" attributes {block_rows = 96, block_keys = 256, tile_rows = 6, tile_keys = 16, threshold = 32.0 : f64} {
    %k = tile.phase "pack" by 256 {
      %p = tile.pack %q by [#m] : tensor<?x8xf32> -> <8, 16, 256, true, f32>
      tile.yield %p : !tile.panels<8, 16, 256, true, f32>
    } : !tile.panels<8, 16, 256, true, f32>
    tile.phase "main" by 96 {
      %l = tile.load %q by [#l] : tensor<?x8xf32> -> <[96, 8] x f32>
      // expected-error@below {{[unsupported_main] a strip has one weigh}}
      tile.for carry() solve {} do {
        tile.yield
      }
      tile.finish sums() to %q attributes {maps = [#l], yields = array<i64: 0>, empty = [0.0], order = array<i64>} {
        tile.yield
      } : tensor<?x8xf32>
      tile.yield
    }
  }
}

// -----

#m = affine_map<(i, j, c, e) -> (j, c)>
#l = affine_map<(i, j, c, e) -> (i, c)>
tile.program @p attributes {arg_names = ["q"], num_outputs = 0, dim_names = ["i", "j", "c", "e"], num_batch = 0, share = array<i64>,
                           features = array<i64: 8, 8>, arg_facts = [array<i64: -1, 0, -1, 1, 0, -1, 0, 2, -1, 1, 0, 8, 0>]} {
^bb0(%q: tensor<?x8xf32>):
  tile.variant "v" attributes {block_rows = 96, block_keys = 256, tile_rows = 6, tile_keys = 16, threshold = 32.0 : f64} {
    %k = tile.phase "pack" by 256 {
      %p = tile.pack %q by [#m] : tensor<?x8xf32> -> <8, 16, 256, true, f32>
      // expected-error@below {{[unsupported_pack] has no lowering in a pack phase}}
      %c = arith.constant 1 : i32
      tile.yield %p : !tile.panels<8, 16, 256, true, f32>
    } : !tile.panels<8, 16, 256, true, f32>
    tile.phase "main" by 96 {
      tile.yield
    }
  }
}

// -----

// Queries that go by lists of their own.
#m = affine_map<(i, j, c, e) -> (j, c)>
#r = affine_map<(i, j, c, e) -> (i)>
tile.program @p attributes {arg_names = ["q", "l"], num_outputs = 0, dim_names = ["i", "j", "c", "e"], num_batch = 0, share = array<i64>,
                           features = array<i64: 8, 8>, arg_facts = [array<i64: -1, 0, -1, 1, 0, -1, 0, 2, -1, 1, 0, 8, 0>, array<i64: -1, 0, -1, 1, 0, -1, 0, -1, -1, 1, 0, -1, 1>]} {
^bb0(%q: tensor<?x8xf32>, %list: tensor<?x?xi32>):
  // expected-error@below {{[unsupported_variant] queries that go by lists of their own are strips of one row, not 6}}
  tile.variant "v" attributes {block_rows = 96, block_keys = 256, tile_rows = 6, tile_keys = 16, threshold = 32.0 : f64} {
    tile.phase "main" by 96 {
      %l = tile.lists %list by #r block 1 : tensor<?x?xi32>
      %k = tile.rows %q by #m : tensor<?x8xf32> -> <8, f32>
      tile.yield
    }
  }
}

// -----

#r = affine_map<(i, j, c, e) -> (i)>
tile.program @p attributes {arg_names = ["l"], num_outputs = 0, dim_names = ["i", "j", "c", "e"], num_batch = 0, share = array<i64>,
                           features = array<i64: 8, 8>, arg_facts = [array<i64: -1, 0, -1, 1, 0, -1, 0, -1, -1, 1, 0, -1, 1>]} {
^bb0(%list: tensor<?x?xi32>):
  tile.variant "v" attributes {block_rows = 96, block_keys = 256, tile_rows = 1, tile_keys = 16, threshold = 32.0 : f64} {
    // expected-error@below {{[unsupported_main] queries that go by lists read rows}}
    tile.phase "main" by 96 {
      %l = tile.lists %list by #r block 1 : tensor<?x?xi32>
      tile.yield
    }
  }
}
