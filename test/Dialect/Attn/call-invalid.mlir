// RUN: %attn-opt %s --split-input-file --verify-diagnostics | FileCheck %s

// What splitting leaves in a kernel of several steps.
!t = tensor<?x4xf32>
attn.kernel @f__0(%x: !t, %w: f32) -> (y: !t) attributes {sym_visibility = "private"} {
  %y = attn.map dims(i, e) (%a = %x[i, e]) {
    %z = arith.mulf %a, %w : f32
    attn.yield %z : f32
  } -> [i, e] : (!t) -> !t
  attn.return %y : !t
}
// CHECK: %[[Y:.*]] = attn.call @f__0(%x, %w) : (tensor<?x4xf32>, f32) -> tensor<?x4xf32>
// CHECK: attn.return %[[Y]]
attn.kernel @f(%x: !t, %w: f32) -> (y: !t) {
  %y = attn.call @f__0(%x, %w) : (!t, f32) -> !t
  attn.return %y : !t
}

// -----

attn.kernel @call_c1_name(%x: tensor<?x4xf32>) -> (y: tensor<?x4xf32>) {
  // expected-error@below {{[call_c1] there is no kernel @g in the module}}
  %y = attn.call @g(%x) : (tensor<?x4xf32>) -> tensor<?x4xf32>
  attn.return %y : tensor<?x4xf32>
}

// -----

attn.kernel @g(%x: tensor<?x8xf32>) -> (y: tensor<?x4xf32>) {
  %y = attn.map dims(i, e) (%a = %x[i, 0]) {
    attn.yield %a : f32
  } -> [i, e] : (tensor<?x8xf32>) -> tensor<?x4xf32>
  attn.return %y : tensor<?x4xf32>
}
attn.kernel @call_c1_types(%x: tensor<?x4xf32>) -> (y: tensor<?x4xf32>) {
  // expected-error@below {{[call_c1] @g takes and returns other types: '(tensor<?x8xf32>) -> tensor<?x4xf32>'}}
  %y = attn.call @g(%x) : (tensor<?x4xf32>) -> tensor<?x4xf32>
  attn.return %y : tensor<?x4xf32>
}
