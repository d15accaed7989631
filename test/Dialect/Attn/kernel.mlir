// RUN: %attn-opt %s --split-input-file | FileCheck %s
// RUN: %attn-opt %s --split-input-file --mlir-print-op-generic | %attn-opt --split-input-file | FileCheck %s
// RUN: %attn-opt %s --split-input-file --verify-roundtrip -o %t

// Names of arguments and results are those of the text; scalars and every element type.

// CHECK-LABEL: attn.kernel @types(
// CHECK-SAME: %q: tensor<?x?x64xf32>, %a: tensor<?xf64>, %b: tensor<?xbf16>, %c: tensor<?xf16>, %d: tensor<?xi64>, %e: tensor<?xi32>, %f: tensor<?xi8>, %g: tensor<4x?xi1>, %n: index, %m: i64, %l: i32, %x: f32, %y: f64
// CHECK-SAME: -> (o: tensor<?x?x64xf32>) {
// CHECK: attn.return %{{.*}} : tensor<?x?x64xf32>
attn.kernel @types(%q: tensor<?x?x64xf32>, %a: tensor<?xf64>, %b: tensor<?xbf16>, %c: tensor<?xf16>, %d: tensor<?xi64>, %e: tensor<?xi32>,
                   %f: tensor<?xi8>, %g: tensor<4x?xi1>, %n: index, %m: i64, %l: i32, %x: f32, %y: f64) -> (o: tensor<?x?x64xf32>) {
  %o = attn.attend dims(b | i | j | c, e)
    q = %q[b, i, c] k = %q[b, j, c] v = %q[b, j, e]
    outputs o[b, i, e]
    : (tensor<?x?x64xf32>, tensor<?x?x64xf32>, tensor<?x?x64xf32>) -> tensor<?x?x64xf32>
  attn.return %o : tensor<?x?x64xf32>
}

// The names survive although the text renames the values.
// CHECK-LABEL: attn.kernel @names(%query_1: tensor<?x64xf32>) -> (out_1: tensor<?x64xf32>) attributes {vendor.note = "x"} {
attn.kernel @names(%query_1: tensor<?x64xf32>) -> (out_1: tensor<?x64xf32>) attributes {vendor.note = "x"} {
  %0 = attn.attend dims(| i | j | c, e)
    q = %query_1[i, c] k = %query_1[j, c] v = %query_1[j, e]
    outputs o[i, e]
    : (tensor<?x64xf32>, tensor<?x64xf32>, tensor<?x64xf32>) -> tensor<?x64xf32>
  attn.return %0 : tensor<?x64xf32>
}

// CHECK-LABEL: attn.kernel @nothing() -> () {
// CHECK-NEXT: attn.return
attn.kernel @nothing() -> () {
  attn.return
}
