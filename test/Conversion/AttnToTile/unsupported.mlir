// RUN: %attn-opt %s --split-input-file --verify-diagnostics --attn-pipeline-tile

// Valid programs that have no lowering, each with what can be done.

attn.kernel @listed(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %list: tensor<?x?xi32>) -> (mass: tensor<?x?x?xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c)
    q = %q[b, h, i, c] k = %k[b, h, j, c]
    // expected-error@below {{[unsupported_columns] sums over queries need the queries of a key, and a list gives the keys of a query}}
    set = tokens<%list[i]>
    columns mass = sum(%w, %s) {
      attn.yield %w : f32
    }
    outputs mass[b, h, j]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?xf32>)
  attn.return %r0 : tensor<?x?x?xf32>
}

// -----

attn.normalizer @unsupported_phi {
  // expected-error@below {{[unsupported_phi] phi must use the score, and gauge both references, through their difference alone: `arith.subf %s, %r`}}
  attn.pass ref = max gauge(%a, %b) {
    %g = arith.divf %a, %b : f32
    attn.yield %g : f32
  } phi(%s, %r) {
    %d = arith.divf %s, %r : f32
    attn.yield %d : f32
  } sums(l = one, n = value)
  attn.finish(%r, %l, %n) {
    %o = arith.divf %n, %l : f32
    attn.yield %o : f32
  } outputs(o) empty(0.0)
}
attn.kernel @ratio(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>) -> (o: tensor<?x?x?x64xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    normalize = @unsupported_phi
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// -----

attn.normalizer @sharpened(%c) {
  // expected-error@below {{[unsupported_gauge] a gauge computes with the two references alone}}
  attn.pass ref = max gauge(%a, %b) {
    %d = arith.subf %a, %b : f32
    %x = arith.mulf %d, %c : f32
    %g = math.exp %x : f32
    attn.yield %g : f32
  } phi(%s, %r) {
    %d = arith.subf %s, %r : f32
    %x = arith.mulf %d, %c : f32
    %p = math.exp %x : f32
    attn.yield %p : f32
  } sums(l = one, n = value)
  attn.finish(%r, %l, %n) {
    %o = arith.divf %n, %l : f32
    attn.yield %o : f32
  } outputs(o) empty(0.0)
}
attn.kernel @sharp(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>) -> (o: tensor<?x?x?x64xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    normalize = @sharpened(2.0)
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// -----

attn.normalizer @unsupported_phi_reversed {
  // expected-error@below {{[unsupported_phi] phi must use the score, and gauge both references, through their difference alone}}
  attn.pass ref = max gauge(%a, %b) {
    %d = arith.subf %b, %a : f32
    %m = arith.negf %d : f32
    %g = math.exp %m : f32
    attn.yield %g : f32
  } phi(%s, %r) {
    %d = arith.subf %s, %r : f32
    %p = math.exp %d : f32
    attn.yield %p : f32
  } sums(l = one, n = value)
  attn.finish(%r, %l, %n) {
    %o = arith.divf %n, %l : f32
    attn.yield %o : f32
  } outputs(o) empty(0.0)
}
attn.kernel @reversed(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>) -> (o: tensor<?x?x?x64xf32>) {
  %r0 = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    normalize = @unsupported_phi_reversed
    outputs o[b, h, i, e]
    : (tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>) -> (tensor<?x?x?x64xf32>)
  attn.return %r0 : tensor<?x?x?x64xf32>
}

// -----

// expected-error@below {{[kernel_s1] a kernel has one step or more and returns results of its steps}}
attn.kernel @kernel_s1_none(%x: tensor<?x64xf32>) -> (o: tensor<?x64xf32>) {
  attn.return %x : tensor<?x64xf32>
}

// -----

// expected-error@below {{[kernel_s1] return a result of a step once}}
attn.kernel @kernel_s1_twice(%x: tensor<?x64xf32>) -> (o: tensor<?x64xf32>, p: tensor<?x64xf32>) {
  %o = attn.attend dims(| i | j | c, e)
    q = %x[i, c] k = %x[j, c] v = %x[j, e]
    outputs o[i, e]
    : (tensor<?x64xf32>, tensor<?x64xf32>, tensor<?x64xf32>) -> tensor<?x64xf32>
  attn.return %o, %o : tensor<?x64xf32>, tensor<?x64xf32>
}

// -----

attn.kernel @kernel_s1_other(%x: tensor<?x64xf32>) -> (o: tensor<?x64xf32>) {
  // expected-error@below {{[kernel_s1] a kernel holds steps (attn.attend, attn.map, attn.merge) and its return; compute inside the regions of an attend or a map}}
  %c = arith.constant 1.0 : f32
  %o = attn.attend dims(| i | j | c, e)
    q = %x[i, c] k = %x[j, c] v = %x[j, e]
    outputs o[i, e]
    : (tensor<?x64xf32>, tensor<?x64xf32>, tensor<?x64xf32>) -> tensor<?x64xf32>
  attn.return %o : tensor<?x64xf32>
}

// -----

attn.kernel @unsupported_axis(%x: tensor<?x?x64xf32>) -> (o: tensor<?x?x64xf32>) {
  // expected-error@below {{[unsupported_axis] axis 0 of one tensor is indexed in ways that contradict each other; pass it as two arguments}}
  %o = attn.attend dims(b | i | j | c, e)
    q = %x[b, i, c] k = %x[0, j, c] v = %x[0, j, e]
    outputs o[b, i, e]
    : (tensor<?x?x64xf32>, tensor<?x?x64xf32>, tensor<?x?x64xf32>) -> tensor<?x?x64xf32>
  attn.return %o : tensor<?x?x64xf32>
}
