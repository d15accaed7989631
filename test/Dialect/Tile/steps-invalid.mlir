// RUN: %attn-opt %s --split-input-file --verify-diagnostics

// tile_map_c1
tile.program @p attributes {arg_names = ["x", "y"], num_outputs = 1, dim_names = ["i"], num_batch = 0, share = array<i64>, features = array<i64>, arg_facts = []} {
^bb0(%x: tensor<?xf32>, %y: tensor<?xf32>):
  tile.variant "map" attributes {block_rows = 1, block_keys = 1, tile_rows = 1, tile_keys = 1, threshold = 0.0 : f64} {
    tile.phase "map" by 1 {
      // expected-error@below {{[tile_map_c1] one map for each input and one for the destination, over the program's 1 dimensions; none, sum or max, the last two over some of them}}
      tile.map "sum"(%x : tensor<?xf32>) by [affine_map<(i) -> (i)>] to %y by affine_map<(i) -> (i)> over [] {
      ^bb0(%a: f32, %i: index):
        tile.yield %a : f32
      } : tensor<?xf32>
      tile.yield
    }
  }
}

// -----

// tile_map_c2
tile.program @p attributes {arg_names = ["x", "y"], num_outputs = 1, dim_names = ["i"], num_batch = 0, share = array<i64>, features = array<i64>, arg_facts = []} {
^bb0(%x: tensor<?xf32>, %y: tensor<?xf32>):
  tile.variant "map" attributes {block_rows = 1, block_keys = 1, tile_rows = 1, tile_keys = 1, threshold = 0.0 : f64} {
    tile.phase "map" by 1 {
      // expected-error@below {{[tile_map_c2] the region takes 1 elements and 1 indices and yields one number}}
      tile.map "none"(%x : tensor<?xf32>) by [affine_map<(i) -> (i)>] to %y by affine_map<(i) -> (i)> over [] {
      ^bb0(%a: f32):
        tile.yield %a : f32
      } : tensor<?xf32>
      tile.yield
    }
  }
}

// -----

// sequence_c1
tile.sequence @s attributes {arg_names = [], num_outputs = 0} {
  // expected-error@below {{[sequence_c1] a sequence holds tile.temporary and tile.call alone}}
  %c = arith.constant 1 : i64
}

// -----

tile.program @p attributes {arg_names = ["x", "y"], num_outputs = 1, dim_names = [], num_batch = 0, share = array<i64>, features = array<i64>, arg_facts = []} {
^bb0(%x: tensor<?xf32>, %y: tensor<?xf32>):
}
// sequence_c2
tile.sequence @s attributes {arg_names = ["x", "y"], num_outputs = 1} {
^bb0(%x: tensor<?xf32>, %y: tensor<?xf32>):
  %t = tile.temporary : tensor<?xf32>
  // expected-error@below {{[sequence_c2] reads a value that no call before it has written}}
  tile.call @p(%t) to(%y) : (tensor<?xf32>) to(tensor<?xf32>)
}

// -----

tile.program @p attributes {arg_names = ["x", "y"], num_outputs = 1, dim_names = [], num_batch = 0, share = array<i64>, features = array<i64>, arg_facts = []} {
^bb0(%x: tensor<?xf32>, %y: tensor<?xf32>):
}
// sequence_c2
tile.sequence @s attributes {arg_names = ["x", "y"], num_outputs = 1} {
^bb0(%x: tensor<?xf32>, %y: tensor<?xf32>):
  // expected-error@below {{[sequence_c2] writes an argument}}
  tile.call @p(%x) to(%x) : (tensor<?xf32>) to(tensor<?xf32>)
}

// -----

tile.program @p attributes {arg_names = ["x", "y"], num_outputs = 1, dim_names = [], num_batch = 0, share = array<i64>, features = array<i64>, arg_facts = []} {
^bb0(%x: tensor<?xf32>, %y: tensor<?xf32>):
}
// tile_call_c1
tile.sequence @s attributes {arg_names = ["x", "y"], num_outputs = 1} {
^bb0(%x: tensor<?xf64>, %y: tensor<?xf32>):
  // expected-error@below {{[tile_call_c1] there is no program @p with 1 destinations whose arguments have these types}}
  tile.call @p(%x) to(%y) : (tensor<?xf64>) to(tensor<?xf32>)
}
