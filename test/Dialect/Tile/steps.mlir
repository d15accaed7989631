// RUN: %attn-opt %s --verify-roundtrip | FileCheck %s

// CHECK: tile.program @double
// CHECK: tile.map "none"(%{{.*}} : tensor<?xf32>) by [#{{.*}}] to %{{.*}} by #{{.*}} over []
tile.program @double attributes {arg_names = ["x", "y"], num_outputs = 1, dim_names = ["i"], num_batch = 0, share = array<i64>, features = array<i64>, arg_facts = [array<i64>, array<i64>]} {
^bb0(%x: tensor<?xf32>, %y: tensor<?xf32>):
  tile.variant "map" attributes {block_rows = 1, block_keys = 1, tile_rows = 1, tile_keys = 1, threshold = 0.0 : f64} {
    tile.phase "map" by 1 {
      tile.map "none"(%x : tensor<?xf32>) by [affine_map<(i) -> (i)>] to %y by affine_map<(i) -> (i)> over [] {
      ^bb0(%a: f32, %i: index):
        %z = arith.addf %a, %a : f32
        tile.yield %z : f32
      } : tensor<?xf32>
      tile.yield
    }
  }
}

// CHECK: tile.sequence @twice
// CHECK: %[[T:.*]] = tile.temporary : tensor<?xf32>
// CHECK: tile.call @double(%{{.*}}) to(%[[T]]) : (tensor<?xf32>) to(tensor<?xf32>)
tile.sequence @twice attributes {arg_names = ["x", "y"], num_outputs = 1} {
^bb0(%x: tensor<?xf32>, %y: tensor<?xf32>):
  %t = tile.temporary : tensor<?xf32>
  tile.call @double(%x) to(%t) : (tensor<?xf32>) to(tensor<?xf32>)
  tile.call @double(%t) to(%y) : (tensor<?xf32>) to(tensor<?xf32>)
}
