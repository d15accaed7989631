// RUN: %attn-run %s --size i=1021 --size j=1021 --token-order raster --check | FileCheck %s
// RUN: %emulate-v4 %attn-run %s --size i=1021 --size j=1021 --token-order raster --check --target x86-64-v4 | FileCheck %s

// Panels are asked about side by side, and each for the extremes of another range of segments: a neighborhood's keys, not whole panels.

// CHECK: ok o: max error
attn.kernel @k(%q: tensor<?x?x16xf32>, %k: tensor<?x?x16xf32>, %v: tensor<?x?x16xf32>, %rows: tensor<?x?xi64>, %keys: tensor<?x?xi64>) -> (o: tensor<?x?x16xf32>) {
  %o = attn.attend dims(b | i[?, 8] | j[?, 8] | c, e)
    q = %q[b, i, c] k = %k[b, j, c] v = %v[b, j, e]
    set = neighborhood<size = [3, 3]> and same_segment<q = %rows, k = %keys>
    outputs o[b, i, e] : (tensor<?x?x16xf32>, tensor<?x?x16xf32>, tensor<?x?x16xf32>) -> tensor<?x?x16xf32>
  attn.return %o : tensor<?x?x16xf32>
}
