// RUN: %attn-opt %s --attn-schedule | FileCheck %s
// RUN: %attn-opt %s --attn-schedule --attn-schedule | FileCheck %s
// RUN: %attn-opt %s '--attn-pipeline-schedule=block-rows=8 block-keys=40' | FileCheck %s --check-prefix=FORCED

// Microtiles of 6 rows x two vectors, 16 registers of 32 bytes; key blocks whose K and V fit in L2.

// CHECK-LABEL: attn.kernel @f32_64(
// CHECK: attn.schedule = [{block_keys = 256 : i64, block_rows = 96 : i64, name = "stream", task_rows = 96 : i64, threshold = 8.000000e+00 : f64, tile_keys = 16 : i64, tile_rows = 6 : i64}]
// Forced blocks are rounded up to whole microtiles.
// FORCED-LABEL: attn.kernel @f32_64(
// FORCED: attn.schedule = [{block_keys = 48 : i64, block_rows = 12 : i64, name = "forced", task_rows = 12 : i64, threshold = 8.000000e+00 : f64, tile_keys = 16 : i64, tile_rows = 6 : i64}]
attn.kernel @f32_64(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>) -> (o: tensor<?x?x?x64xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// CHECK-LABEL: attn.kernel @f32_512(
// CHECK: block_keys = 128 : i64
// FORCED-LABEL: attn.kernel @f32_512(
// FORCED: block_keys = 48 : i64
attn.kernel @f32_512(%q: tensor<?x?x?x512xf32>, %k: tensor<?x?x?x512xf32>, %v: tensor<?x?x?x512xf32>) -> (o: tensor<?x?x?x512xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    outputs o[b, h, i, e]
    : (tensor<?x?x?x512xf32>, tensor<?x?x?x512xf32>, tensor<?x?x?x512xf32>) -> (tensor<?x?x?x512xf32>)
  attn.return %r0 : tensor<?x?x?x512xf32>
}

// The greater of the two features counts.
// CHECK-LABEL: attn.kernel @wide_values(
// CHECK: block_keys = 64 : i64
attn.kernel @wide_values(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x1024xf32>) -> (o: tensor<?x?x?x1024xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x1024xf32>) -> (tensor<?x?x?x1024xf32>)
  attn.return %r0 : tensor<?x?x?x1024xf32>
}

// A key block is never less than a microtile.
// CHECK-LABEL: attn.kernel @huge(
// CHECK: block_keys = 16 : i64
attn.kernel @huge(%q: tensor<?x?x?x8192xf32>, %k: tensor<?x?x?x8192xf32>, %v: tensor<?x?x?x8192xf32>) -> (o: tensor<?x?x?x8192xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    outputs o[b, h, i, e]
    : (tensor<?x?x?x8192xf32>, tensor<?x?x?x8192xf32>, tensor<?x?x?x8192xf32>) -> (tensor<?x?x?x8192xf32>)
  attn.return %r0 : tensor<?x?x?x8192xf32>
}

// 16-bit operands are packed as f32.
// CHECK-LABEL: attn.kernel @bf16(
// CHECK: block_keys = 256 : i64, block_rows = 96 : i64, {{.*}} tile_keys = 16 : i64, tile_rows = 6 : i64
attn.kernel @bf16(%q: tensor<?x?x?x64xbf16>, %k: tensor<?x?x?x64xbf16>, %v: tensor<?x?x?x64xbf16>) -> (o: tensor<?x?x?x64xbf16>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>) -> (tensor<?x?x?x64xbf16>)
  attn.return %r0 : tensor<?x?x?x64xbf16>
}

// f64: half as many lanes, twice the bytes.
// CHECK-LABEL: attn.kernel @f64_256(
// CHECK: block_keys = 128 : i64, block_rows = 96 : i64, {{.*}} tile_keys = 8 : i64, tile_rows = 6 : i64
// FORCED-LABEL: attn.kernel @f64_256(
// FORCED: block_keys = 40 : i64, block_rows = 12 : i64, {{.*}} tile_keys = 8 : i64
attn.kernel @f64_256(%q: tensor<?x?x?x256xf64>, %k: tensor<?x?x?x256xf64>, %v: tensor<?x?x?x256xf64>) -> (o: tensor<?x?x?x256xf64>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    outputs o[b, h, i, e]
    : (tensor<?x?x?x256xf64>, tensor<?x?x?x256xf64>, tensor<?x?x?x256xf64>) -> (tensor<?x?x?x256xf64>)
  attn.return %r0 : tensor<?x?x?x256xf64>
}
