// RUN: %attn-opt %s --split-input-file | FileCheck %s
// RUN: %attn-opt %s --split-input-file --mlir-print-op-generic | %attn-opt --split-input-file | FileCheck %s
// RUN: %attn-opt %s --split-input-file --verify-roundtrip -o %t

// A region over the indices; those that it does not use are not written.

// CHECK-LABEL: attn.kernel @indices(
// CHECK: set = where(i = %i, j = %j) {
// CHECK: %[[P:[0-9]+]] = arith.cmpi sle, %j, %i : index
// CHECK: attn.yield %[[P]] : i1
attn.kernel @indices(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>) -> (o: tensor<?x?x?x64xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = where(i = %i, j = %j) {
      %p = arith.cmpi sle, %j, %i : index
      attn.yield %p : i1
    }
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// CHECK-LABEL: attn.kernel @order_and_names(
// CHECK: set = where(b = %b, j = %j) {
// CHECK: arith.cmpi sle, %j, %b : index
attn.kernel @order_and_names(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>) -> (o: tensor<?x?x?x64xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = where(j = %key, b = %batch) {
      %p = arith.cmpi sle, %key, %batch : index
      attn.yield %p : i1
    }
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// CHECK-LABEL: attn.kernel @no_index(
// CHECK: set = where() {
// CHECK: arith.cmpi sle, %n
attn.kernel @no_index(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>, %n: index) -> (o: tensor<?x?x?x64xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = where() {
      %c = arith.constant 3 : index
      %p = arith.cmpi sle, %n, %c : index
      attn.yield %p : i1
    }
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// CHECK-LABEL: attn.kernel @loads(
// CHECK: set = not where(b = %b, j = %j) {
// CHECK: attn.load %t[%b, %j] : tensor<?x?xi32>
// CHECK: } and causal<top_left>
attn.kernel @loads(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>, %t: tensor<?x?xi32>) -> (o: tensor<?x?x?x64xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = not where(b = %b, j = %j) {
      %x = attn.load %t[%b, %j] : tensor<?x?xi32>
      %z = arith.constant 0 : i32
      %p = arith.cmpi eq, %x, %z : i32
      attn.yield %p : i1
    } and causal<top_left>
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// CHECK-LABEL: attn.kernel @floats(
// CHECK: math.exp
// CHECK: arith.cmpf ogt
attn.kernel @floats(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>, %t: tensor<?xf16>) -> (o: tensor<?x?x?x64xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = where(j = %j) {
      %x = attn.load %t[%j] : tensor<?xf16>
      %w = arith.extf %x : f16 to f32
      %y = math.exp %w : f32
      %z = arith.constant 1.5 : f32
      %p = arith.cmpf ogt, %y, %z : f32
      attn.yield %p : i1
    }
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}
