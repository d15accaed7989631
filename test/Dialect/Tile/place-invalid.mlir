// RUN: %attn-opt %s --split-input-file --verify-diagnostics

// shared_c1
func.func private @f(%q: !tile.tile<[64, 64] x f32>) {
  // expected-error@below {{[shared_c1] elements of 16 or 32 bits; a row, a feature, a plane and a stage; at, row_bytes and stage_bytes multiples of 16; a row that holds its padded features, and a stage of several that holds its planes}}
  %a = tile.place %q : !tile.tile<[64, 64] x f32> in #tile.shared<bf16, rows = 64, features = 64, row_bytes = 112, planes = 1, stages = 1, stage_bytes = 0, at = 0>
  return
}

// -----

func.func private @f(%q: !tile.tile<[64, 64] x f32>) {
  // expected-error@below {{[shared_c1] elements of 16 or 32 bits}}
  %a = tile.place %q : !tile.tile<[64, 64] x f32> in #tile.shared<bf16, rows = 64, features = 64, row_bytes = 144, planes = 1, stages = 1, stage_bytes = 0, at = 8>
  return
}

// -----

func.func private @f(%q: !tile.tile<[64, 64] x f32>) {
  // expected-error@below {{[shared_c1] elements of 16 or 32 bits}}
  %a = tile.place %q : !tile.tile<[64, 64] x f32> in #tile.shared<f64, rows = 64, features = 64, row_bytes = 528, planes = 1, stages = 1, stage_bytes = 0, at = 0>
  return
}

// -----

// A second stage that begins in the first one.
func.func private @f(%k: !tile.panels<64, 8, 64, true, f32>) {
  // expected-error@below {{[shared_c1] elements of 16 or 32 bits}}
  %a = tile.place %k : !tile.panels<64, 8, 64, true, f32> in #tile.shared<bf16, rows = 64, features = 64, row_bytes = 144, planes = 1, stages = 2, stage_bytes = 4608, at = 0>
  return
}

// -----

// fragment_c1
func.func private @f(%w: !tile.tile<[16, 64] x f32>) {
  // expected-error@below {{[fragment_c1] a plane; operands of elements of 16 or 32 bits in whole steps of 256 bits, accumulators of f32 in one plane and whole tiles of 8 columns}}
  %a = tile.place %w : !tile.tile<[16, 64] x f32> in #tile.fragment<left, bf16, columns = 24, planes = 1>
  return
}

// -----

func.func private @f(%w: !tile.tile<[16, 64] x f32>) {
  // expected-error@below {{[fragment_c1] a plane}}
  %a = tile.place %w : !tile.tile<[16, 64] x f32> in #tile.fragment<accumulator, bf16, columns = 64, planes = 1>
  return
}

// -----

func.func private @f(%w: !tile.tile<[16, 64] x f32>) {
  // expected-error@below {{[fragment_c1] a plane}}
  %a = tile.place %w : !tile.tile<[16, 64] x f32> in #tile.fragment<left, bf16, columns = 64, planes = 0>
  return
}

// -----

// place_c1
func.func private @f(%q: !tile.tile<[64, 64] x f32>) {
  // expected-error@below {{[place_c1] rows and columns; rows in shared memory are a tile's, and no more features, or columns but for their padding to 16, than the 64 of '!tile.tile<[64, 64] x f32>'}}
  %a = tile.place %q : !tile.tile<[64, 64] x f32> in #tile.shared<bf16, rows = 32, features = 64, row_bytes = 144, planes = 1, stages = 1, stage_bytes = 0, at = 0>
  return
}

// -----

func.func private @f(%v: !tile.panels<64, 8, 64, false, f32>) {
  // expected-error@below {{[place_c1] rows and columns; rows in shared memory are a tile's, and no more features, or columns but for their padding to 16, than the 64 of}}
  %a = tile.place %v : !tile.panels<64, 8, 64, false, f32> in #tile.shared<bf16, rows = 64, features = 72, row_bytes = 176, planes = 1, stages = 1, stage_bytes = 0, at = 0>
  return
}

// -----

func.func private @f(%w: !tile.tile<[16, 30] x f32>) {
  %a = tile.place %w : !tile.tile<[16, 30] x f32> in #tile.fragment<accumulator, f32, columns = 32, planes = 1>
  // expected-error@below {{[place_c1] rows and columns}}
  %b = tile.place %w : !tile.tile<[16, 30] x f32> in #tile.fragment<accumulator, f32, columns = 40, planes = 1>
  return
}

// -----

func.func private @f(%r: !tile.tile<[64] x f32>) {
  // expected-error@below {{[place_c1] rows and columns}}
  %a = tile.place %r : !tile.tile<[64] x f32> in #tile.fragment<accumulator, f32, columns = 8, planes = 1>
  return
}
