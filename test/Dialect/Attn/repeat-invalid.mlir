// RUN: %attn-opt %s --split-input-file --verify-diagnostics

!x = tensor<?x?xf32>
attn.kernel @repeat_c1(%x: !x) -> (a: !x) {
  // expected-error@below {{[repeat_c1] steps are repeated 1 to 64 times, not 65}}
  %r = attn.repeat 65 (%a = %x) {
    %d = attn.map dims(i, e) (%u = %a[i, e]) {
      attn.yield %u : f32
    } -> [i, e] : (!x) -> !x
    attn.yield %d : !x
  }
  attn.return %r : !x
}

// -----

!x = tensor<?x?xf32>
attn.kernel @repeat_c1_none(%x: !x) -> (a: !x) {
  // expected-error@below {{[repeat_c1] steps are repeated 1 to 64 times, not 0}}
  %r = attn.repeat 0 (%a = %x) {
    %d = attn.map dims(i, e) (%u = %a[i, e]) {
      attn.yield %u : f32
    } -> [i, e] : (!x) -> !x
    attn.yield %d : !x
  }
  attn.return %r : !x
}

// -----

!x = tensor<?x?xf32>
attn.kernel @repeat_c2_type(%x: !x) -> (a: !x) {
  // expected-error@below {{[repeat_c2] end the region with attn.yield of values of the types that it takes}}
  %r = attn.repeat 2 (%a = %x) {
    %d = attn.map dims(i, e) (%u = %a[i, e]) {
      attn.yield %u : f32
    } -> [i, e] : (!x) -> tensor<?x?xf16>
    attn.yield %d : tensor<?x?xf16>
  }
  attn.return %r : !x
}

// -----

!x = tensor<?x?xf32>
attn.kernel @repeat_c2_none(%x: !x) -> (a: !x) {
  // expected-error@below {{[repeat_c2] the region takes and returns values of the types of those it starts with, one or more}}
  attn.repeat 2 () {
    %d = attn.map dims(i, e) (%u = %x[i, e]) {
      attn.yield %u : f32
    } -> [i, e] : (!x) -> !x
    attn.yield
  }
  attn.return %x : !x
}

// -----

!x = tensor<?x?xf32>
attn.kernel @repeat_c3_step(%x: !x) -> (a: !x) {
  %r = attn.repeat 2 (%a = %x) {
    // expected-error@below {{[repeat_c3] is no step; the region of an attn.repeat holds attn.attend, attn.map, attn.merge and attn.repeat}}
    %c = arith.constant 1.0 : f32
    %d = attn.map dims(i, e) (%u = %a[i, e]) {
      attn.yield %u : f32
    } -> [i, e] : (!x) -> !x
    attn.yield %d : !x
  }
  attn.return %r : !x
}

// -----

!x = tensor<?x?xf32>
attn.kernel @repeat_c3_yield(%x: !x) -> (a: !x) {
  // expected-error@below {{[repeat_c3] the region yields results of its own steps}}
  %r = attn.repeat 2 (%a = %x) {
    %d = attn.map dims(i, e) (%u = %a[i, e]) {
      attn.yield %u : f32
    } -> [i, e] : (!x) -> !x
    attn.yield %a : !x
  }
  attn.return %r : !x
}
