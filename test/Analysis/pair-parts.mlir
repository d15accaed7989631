// RUN: %attn-opt %s --split-input-file --attn-print-pair-parts -o /dev/null 2>&1 | FileCheck %s

// A table by the distance: the number of the head and the index are inside of it; one load for a difference is left.
// CHECK: once for each difference
// CHECK-NEXT: %x = attn.load
// CHECK-NOT: once
// CHECK: a pair's score is light
!t = tensor<?x?x?x64xf32>
attn.kernel @table(%q: !t, %k: !t, %v: !t, %t: tensor<?x?xf32>) -> (o: !t) {
  %o = attn.attend dims(b, h | i | j | c, e) q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    score(%s, h = %h, i = %i, j = %j) {
      %d = arith.subi %i, %j : index  %last = arith.constant 127 : index  %n = arith.minsi %d, %last : index
      %x = attn.load %t[%h, %n] : tensor<?x?xf32>
      %r = arith.addf %s, %x : f32  attn.yield %r : f32
    } outputs o[b, h, i, e] : (!t, !t, !t) -> (!t)
  attn.return %o : !t
}

// -----

// The difference is one after all: offsets, factors, 32 bits, floats on both sides.
// CHECK: once for each difference
// CHECK-NEXT: %w = arith.subf
// CHECK: a score has a slope along the keys, 1 times a number of the head
// CHECK: a pair's score is light
!t = tensor<?x?x?x64xf32>
attn.kernel @floats(%q: !t, %k: !t, %v: !t, %m: f32) -> (o: !t) {
  %o = attn.attend dims(b, h | i | j | c, e) q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    score(%s, i = %i, j = %j) {
      %x = arith.index_cast %i : index to i32  %y = arith.index_cast %j : index to i32
      %p = arith.sitofp %x : i32 to f32  %u = arith.sitofp %y : i32 to f32
      %f = arith.mulf %p, %m : f32  %g = arith.mulf %m, %u : f32  %w = arith.subf %g, %f : f32
      %r = arith.addf %s, %w : f32  attn.yield %r : f32
    } outputs o[b, h, i, e] : (!t, !t, !t) -> (!t)
  attn.return %o : !t
}

// -----

// i + j is none; 2 j - i neither; a sum in 32 bits may wrap before it is widened.
// CHECK-NOT: difference
// CHECK: a pair's score is light
// CHECK-NOT: difference
!t = tensor<?x?x?x64xf32>
attn.kernel @none(%q: !t, %k: !t, %v: !t) -> (o: !t) {
  %o = attn.attend dims(b, h | i | j | c, e) q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    score(%s, i = %i, j = %j) {
      %two = arith.constant 2 : index  %three = arith.constant 1000000 : i32
      %a = arith.addi %i, %j : index  %d = arith.muli %j, %two : index  %n = arith.subi %d, %i : index  %l = arith.addi %a, %n : index
      %x = arith.index_cast %i : index to i32  %y = arith.index_cast %j : index to i32
      %z = arith.muli %x, %three : i32  %u = arith.muli %y, %three : i32
      %e = arith.index_cast %z : i32 to index  %f = arith.index_cast %u : i32 to index  %g = arith.subi %e, %f : index
      %o = arith.addi %g, %l : index
      %w = arith.index_cast %o : index to i64  %p = arith.sitofp %w : i64 to f32
      %r = arith.addf %s, %p : f32  attn.yield %r : f32
    } outputs o[b, h, i, e] : (!t, !t, !t) -> (!t)
  attn.return %o : !t
}

// -----

// Numbers of the head, of queries and of keys; keys that are loaded through a table are worth it, a bare cast is not.
// CHECK: once for each head
// CHECK-NEXT: %m = attn.load
// CHECK: once for each query
// CHECK-NEXT: %a = attn.load
// CHECK: once for each key
// CHECK-NEXT: %g = attn.load
// CHECK: a pair's score is light
!t = tensor<?x?x?x64xf32>
attn.kernel @rows(%q: !t, %k: !t, %v: !t, %slope: tensor<?xf32>, %ci: tensor<?xf32>, %kind: tensor<?xi32>, %t: tensor<9xf32>) -> (o: !t) {
  %o = attn.attend dims(b, h | i | j | c, e) q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    score(%s, h = %h, i = %i, j = %j) {
      %m = attn.load %slope[%h] : tensor<?xf32>  %a = attn.load %ci[%i] : tensor<?xf32>
      %n = attn.load %kind[%j] : tensor<?xi32>  %f = arith.index_cast %n : i32 to index  %g = attn.load %t[%f] : tensor<9xf32>
      %x = arith.mulf %s, %m : f32  %y = arith.addf %x, %a : f32  %r = arith.addf %y, %g : f32  attn.yield %r : f32
    } outputs o[b, h, i, e] : (!t, !t, !t) -> (!t)
  attn.return %o : !t
}

// -----

// Rows of a bias, bare and shifted by the query; the shift itself is not kept.
// CHECK-NOT: once
// CHECK: rows along axis 1
// CHECK-NEXT: %y = attn.load
// CHECK: rows along axis 3
// CHECK-NEXT: %x = attn.load
// CHECK: a pair's score is light
!t = tensor<?x?x?x64xf32>
attn.kernel @bias(%q: !t, %k: !t, %v: !t, %bias: tensor<?x?x?x?xf32>, %shifted: tensor<?x?xf32>, %n: index) -> (o: !t) {
  %o = attn.attend dims(b, h | i | j | c, e) q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    score(%s, b = %b, h = %h, i = %i, j = %j) {
      %x = attn.load %bias[%b, %h, %i, %j] : tensor<?x?x?x?xf32>
      %d = arith.subi %j, %i : index  %at = arith.addi %d, %n : index  %y = attn.load %shifted[%i, %at] : tensor<?x?xf32>
      %u = arith.addf %s, %x : f32  %r = arith.addf %u, %y : f32  attn.yield %r : f32
    } outputs o[b, h, i, e] : (!t, !t, !t) -> (!t)
  attn.return %o : !t
}

// -----

// A function of the product is no light score; its parts are kept all the same.
// CHECK: once for each difference
// CHECK: a pair's score is not light
!t = tensor<?x?x?x64xf32>
attn.kernel @curved(%q: !t, %k: !t, %v: !t, %t: tensor<?xf32>) -> (o: !t) {
  %o = attn.attend dims(b, h | i | j | c, e) q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    score(%s, i = %i, j = %j) {
      %d = arith.subi %j, %i : index  %x = attn.load %t[%d] : tensor<?xf32>
      %u = math.expm1 %s : f32  %r = arith.addf %u, %x : f32  attn.yield %r : f32
    } outputs o[b, h, i, e] : (!t, !t, !t) -> (!t)
  attn.return %o : !t
}

// -----

// A tanh that bounds the product is a short series as a rule.
// CHECK: once for each difference
// CHECK: a pair's score is light
!t = tensor<?x?x?x64xf32>
attn.kernel @capped(%q: !t, %k: !t, %v: !t, %t: tensor<?xf32>) -> (o: !t) {
  %o = attn.attend dims(b, h | i | j | c, e) q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    score(%s, i = %i, j = %j) {
      %d = arith.subi %j, %i : index  %x = attn.load %t[%d] : tensor<?xf32>
      %u = math.tanh %s : f32  %r = arith.addf %u, %x : f32  attn.yield %r : f32
    } outputs o[b, h, i, e] : (!t, !t, !t) -> (!t)
  attn.return %o : !t
}

// -----

// A sum's one linear part gives the slope, whatever the rest is, through signs and factors of which only the sign counts.
// CHECK: a score has a slope along the keys, 2{{$}}
// CHECK: a pair's score
!t = tensor<?x?x?x64xf32>
attn.kernel @slope(%q: !t, %k: !t, %v: !t, %b: tensor<?x?xf32>) -> (o: !t) {
  %o = attn.attend dims(b, h | i | j | c, e) q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    score(%s, i = %i, j = %j) {
      %w = arith.index_cast %j : index to i64  %p = arith.sitofp %w : i64 to f32
      %two = arith.constant -2.0 : f32  %z = arith.addf %p, %p : f32
      %x = attn.load %b[%i, %j] : tensor<?x?xf32>  %y = arith.addf %s, %x : f32
      %a = arith.subf %y, %z : f32  %r = arith.mulf %a, %two : f32  attn.yield %r : f32
    } outputs o[b, h, i, e] : (!t, !t, !t) -> (!t)
  attn.return %o : !t
}

// -----

// Two of them, a distance, or a tanh around it: none that is known.
// CHECK-NOT: slope
!t = tensor<?x?x?x64xf32>
attn.kernel @slopes(%q: !t, %k: !t, %v: !t, %m: f32, %n: f32) -> (o: !t) {
  %o = attn.attend dims(b, h | i | j | c, e) q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    score(%s, i = %i, j = %j) {
      %w = arith.index_cast %j : index to i64  %p = arith.sitofp %w : i64 to f32
      %x = arith.mulf %p, %m : f32  %y = arith.mulf %p, %n : f32
      %a = arith.addf %s, %x : f32  %r = arith.addf %a, %y : f32  attn.yield %r : f32
    } outputs o[b, h, i, e] : (!t, !t, !t) -> (!t)
  attn.return %o : !t
}
attn.kernel @distance(%q: !t, %k: !t, %v: !t, %m: f32) -> (o: !t) {
  %o = attn.attend dims(b, h | i | j | c, e) q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    score(%s, i = %i, j = %j) {
      %d = arith.subi %i, %j : index  %w = arith.index_cast %d : index to i64  %p = arith.sitofp %w : i64 to f32
      %u = math.absf %p : f32  %x = arith.mulf %u, %m : f32  %a = arith.subf %s, %x : f32
      attn.yield %a : f32
    } outputs o[b, h, i, e] : (!t, !t, !t) -> (!t)
  attn.return %o : !t
}
attn.kernel @bounded(%q: !t, %k: !t, %v: !t, %m: f32) -> (o: !t) {
  %o = attn.attend dims(b, h | i | j | c, e) q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    score(%s, i = %i, j = %j) {
      %w = arith.index_cast %j : index to i64  %p = arith.sitofp %w : i64 to f32
      %a = arith.addf %s, %p : f32  %r = math.tanh %a : f32  attn.yield %r : f32
    } outputs o[b, h, i, e] : (!t, !t, !t) -> (!t)
  attn.return %o : !t
}
