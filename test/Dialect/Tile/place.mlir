// RUN: %attn-opt %s --verify-roundtrip | FileCheck %s

// Queries, three planes of a f32; a block of keys in two stages; the weights of 64 keys; sums.
func.func private @f(%q: !tile.tile<[64, 72] x f32>, %k: !tile.panels<72, 8, 64, true, f32>, %w: !tile.tile<[16, 64] x f32>, %n: !tile.tile<[64, 96] x f32>) {
  // CHECK: tile.place %{{.*}} : !tile.tile<[64, 72] x f32> in #tile.shared<bf16, rows = 64, features = 72, row_bytes = 176, planes = 3, stages = 1, stage_bytes = 0, at = 0>
  %a = tile.place %q : !tile.tile<[64, 72] x f32> in #tile.shared<bf16, rows = 64, features = 72, row_bytes = 176, planes = 3, stages = 1, stage_bytes = 0, at = 0>
  // CHECK: #tile.fragment<left, bf16, columns = 80, planes = 1>
  %b = tile.place %a : !tile.tile<[64, 72] x f32> in #tile.fragment<left, bf16, columns = 80, planes = 1>
  // CHECK: #tile.shared<f32, rows = 64, features = 72, row_bytes = 336
  %c = tile.place %k : !tile.panels<72, 8, 64, true, f32> in #tile.shared<f32, rows = 64, features = 72, row_bytes = 336, planes = 1, stages = 2, stage_bytes = 43008, at = 33792>
  // CHECK: #tile.fragment<left, f16, columns = 64, planes = 1>
  %d = tile.place %w : !tile.tile<[16, 64] x f32> in #tile.fragment<left, f16, columns = 64, planes = 1>
  // CHECK: #tile.fragment<accumulator, f32, columns = 48, planes = 1>
  %e = tile.place %n : !tile.tile<[64, 96] x f32> in #tile.fragment<accumulator, f32, columns = 48, planes = 1>
  return
}
