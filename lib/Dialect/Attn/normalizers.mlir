// The built-in normalizers. Each is text in the form that users write: copy one, give it another name, change it; it takes the same way and is as fast.
//
// The class (C0, C1, ..) says what the key loop carries: nothing, a reference and sums, another numerator, a statistic that must be finished first, a selection.

// C1. w_j = e^(s_j - r) / sum, r the largest score so far; lse = log sum e^s.
attn.normalizer @softmax {
  attn.pass ref = max
    gauge(%r0, %r1) {
      %d = arith.subf %r0, %r1 : f32
      %g = math.exp %d : f32
      attn.yield %g : f32
    }
    phi(%s, %r) {
      %d = arith.subf %s, %r : f32
      %p = math.exp %d : f32
      attn.yield %p : f32
    }
    sums(l = one, n = value)
  attn.finish(%r, %l, %n) {
    %o = arith.divf %n, %l : f32
    %g = math.log %l : f32
    %e = arith.addf %r, %g : f32
    attn.yield %o, %e : f32, f32
  } outputs(o, lse) empty(0.0, neg_inf)
}

// C1. Softmax with a learned logit b of a key that has no value (gpt-oss, 2025): w_j = e^s_j / (e^b + sum e^s).
attn.normalizer @softmax_sink(%b) {
  attn.pass ref = max
    gauge(%r0, %r1) {
      %d = arith.subf %r0, %r1 : f32
      %g = math.exp %d : f32
      attn.yield %g : f32
    }
    phi(%s, %r) {
      %d = arith.subf %s, %r : f32
      %p = math.exp %d : f32
      attn.yield %p : f32
    }
    seed {
      %one = arith.constant 1.0 : f32
      %zero = arith.constant 0.0 : f32
      attn.yield %b, %one, %zero : f32, f32, f32
    }
    sums(l = one, n = value)
  attn.finish(%r, %l, %n) {
    %o = arith.divf %n, %l : f32
    %g = math.log %l : f32
    %e = arith.addf %r, %g : f32
    attn.yield %o, %e : f32, f32
  } outputs(o, lse) empty(0.0, neg_inf)
}

// C1. Softmax with 1 added to the sum (Miller, Attention Is Off By One, 2023): the sink logit 0.
attn.normalizer @softmax1 {
  attn.pass ref = max
    gauge(%r0, %r1) {
      %d = arith.subf %r0, %r1 : f32
      %g = math.exp %d : f32
      attn.yield %g : f32
    }
    phi(%s, %r) {
      %d = arith.subf %s, %r : f32
      %p = math.exp %d : f32
      attn.yield %p : f32
    }
    seed {
      %one = arith.constant 1.0 : f32
      %zero = arith.constant 0.0 : f32
      attn.yield %zero, %one, %zero : f32, f32, f32
    }
    sums(l = one, n = value)
  attn.finish(%r, %l, %n) {
    %o = arith.divf %n, %l : f32
    %g = math.log %l : f32
    %e = arith.addf %r, %g : f32
    attn.yield %o, %e : f32, f32
  } outputs(o, lse) empty(0.0, neg_inf)
}

// C0. w_j = 1 / (1 + e^-(s_j + b)), usually b = -log of the number of keys (Ramapuram et al., Theory, Analysis, and Best Practices for Sigmoid Self-Attention, 2024).
attn.normalizer @sigmoid(%b) {
  attn.pass ref = none
    phi(%s) {
      %one = arith.constant 1.0 : f32
      %x = arith.addf %s, %b : f32
      %m = arith.negf %x : f32
      %e = math.exp %m : f32
      %d = arith.addf %one, %e : f32
      %p = arith.divf %one, %d : f32
      attn.yield %p : f32
    }
    sums(n = value)
  attn.finish(%n) {
    attn.yield %n : f32
  } outputs(o) empty(0.0)
}

// C0. w_j = max(s_j, 0) / n, n the number of keys of the row (Wortsman et al., Replacing softmax with ReLU in Vision Transformers, 2023).
attn.normalizer @relu_n {
  attn.pass ref = none
    phi(%s) {
      %zero = arith.constant 0.0 : f32
      %p = arith.maximumf %s, %zero : f32
      attn.yield %p : f32
    }
    sums(n = value, c = count)
  attn.finish(%n, %c) {
    %o = arith.divf %n, %c : f32
    attn.yield %o : f32
  } outputs(o) empty(0.0)
}

// C0. w_j = max(s_j, 0)^2 / n (Hua et al., Transformer Quality in Linear Time, 2022).
attn.normalizer @relu2_n {
  attn.pass ref = none
    phi(%s) {
      %zero = arith.constant 0.0 : f32
      %a = arith.maximumf %s, %zero : f32
      %p = arith.mulf %a, %a : f32
      attn.yield %p : f32
    }
    sums(n = value, c = count)
  attn.finish(%n, %c) {
    %o = arith.divf %n, %c : f32
    attn.yield %o : f32
  } outputs(o) empty(0.0)
}

// C2. w_j = max(s_j + b, 0)^2 / (sum max(s + b, 0)^2 + eps).
attn.normalizer @relu2_sum(%b, %eps) {
  attn.pass ref = none
    phi(%s) {
      %zero = arith.constant 0.0 : f32
      %x = arith.addf %s, %b : f32
      %a = arith.maximumf %x, %zero : f32
      %p = arith.mulf %a, %a : f32
      attn.yield %p : f32
    }
    sums(l = one, n = value)
  attn.finish(%l, %n) {
    %d = arith.addf %l, %eps : f32
    %o = arith.divf %n, %d : f32
    attn.yield %o : f32
  } outputs(o) empty(0.0)
}

// C0. w_j = s_j: linear attention in its quadratic form.
attn.normalizer @identity {
  attn.pass ref = none
    phi(%s) {
      attn.yield %s : f32
    }
    sums(n = value)
  attn.finish(%n) {
    attn.yield %n : f32
  } outputs(o) empty(0.0)
}

// C0. w_j = s_j / n, n the number of keys of the row.
attn.normalizer @identity_n {
  attn.pass ref = none
    phi(%s) {
      attn.yield %s : f32
    }
    sums(n = value, c = count)
  attn.finish(%n, %c) {
    %o = arith.divf %n, %c : f32
    attn.yield %o : f32
  } outputs(o) empty(0.0)
}

// C2. w_j = max(e^s_j - 1, 0) / (sum |e^s - 1| + eps), eps = 1e-8 (Zuhri et al., Softpick, 2025). Against a reference r both are e^r times e^(s - r) - e^-r; the
// seed is eps at reference 0.
attn.normalizer @softpick {
  attn.pass ref = max
    gauge(%r0, %r1) {
      %d = arith.subf %r0, %r1 : f32
      %g = math.exp %d : f32
      attn.yield %g : f32
    }
    phi(%s, %r) {
      %zero = arith.constant 0.0 : f32
      %d = arith.subf %s, %r : f32
      %a = math.exp %d : f32
      %m = arith.negf %r : f32
      %b = math.exp %m : f32
      %x = arith.subf %a, %b : f32
      %p = arith.maximumf %x, %zero : f32
      %q = math.absf %x : f32
      attn.yield %p, %q : f32, f32
    }
    seed {
      %zero = arith.constant 0.0 : f32
      %eps = arith.constant 1.0e-8 : f32
      attn.yield %zero, %eps, %zero : f32, f32, f32
    }
    sums(l = one of 1, n = value)
  attn.finish(%r, %l, %n) {
    %o = arith.divf %n, %l : f32
    attn.yield %o : f32
  } outputs(o) empty(0.0)
}

// C3. w_j = clip((zeta - gamma) softmax_j + gamma, 0, 1) (Bondarenko et al., Quantizable Transformers, 2023). Rows need not sum to 1.
attn.normalizer @clipped(%zeta, %gamma) {
  %m, %inverse, %t = attn.pass ref = max
    gauge(%r0, %r1) {
      %d = arith.subf %r0, %r1 : f32
      %g = math.exp %d : f32
      attn.yield %g : f32
    }
    phi(%s, %r) {
      %d = arith.subf %s, %r : f32
      %p = math.exp %d : f32
      attn.yield %p : f32
    }
    sums(l = one)
    stat(%r, %l) {
      %g = math.log %l : f32
      %t = arith.addf %r, %g : f32
      %one = arith.constant 1.0 : f32
      %i = arith.divf %one, %l : f32
      attn.yield %r, %i, %t : f32, f32, f32
    }
  attn.pass ref = none
    phi(%s) {
      %zero = arith.constant 0.0 : f32
      %one = arith.constant 1.0 : f32
      %d = arith.subf %s, %m : f32
      %a = math.exp %d : f32
      %e = arith.mulf %a, %inverse : f32
      %w = arith.subf %zeta, %gamma : f32
      %x = arith.mulf %w, %e : f32
      %y = arith.addf %x, %gamma : f32
      %z = arith.maximumf %y, %zero : f32
      %p = arith.minimumf %z, %one : f32
      attn.yield %p : f32
    }
    sums(n = value)
  attn.finish(%n) {
    attn.yield %n, %t : f32, f32
  } outputs(o, lse) empty(0.0, neg_inf)
}

// C3. w_j = max(z_j - tau, 0)^2, z = (s - max) / 2, tau such that they sum to 1 (Peters, Niculae, Martins, Sparse Sequence-to-Sequence Models, 2019): alpha = 1.5.
attn.normalizer @entmax15 {
  %m, %k = attn.pass ref = max
    gauge(%r0, %r1) {
      %d = arith.subf %r0, %r1 : f32
      %g = math.exp %d : f32
      attn.yield %g : f32
    }
    phi(%s, %r) {
      %d = arith.subf %s, %r : f32
      %p = math.exp %d : f32
      attn.yield %p : f32
    }
    sums(c = count)
    stat(%r, %c) {
      attn.yield %r, %c : f32, f32
    }
  %tau = attn.root
    phi(%s, %x) {
      %zero = arith.constant 0.0 : f32
      %half = arith.constant 0.5 : f32
      %d = arith.subf %s, %m : f32
      %z = arith.mulf %d, %half : f32
      %y = arith.subf %z, %x : f32
      %a = arith.maximumf %y, %zero : f32
      %p = arith.mulf %a, %a : f32
      attn.yield %p : f32
    }
    to {
      %c = arith.constant 1.0 : f32
      %lo = arith.constant -1.0 : f32
      %q = math.sqrt %k : f32
      %hi = arith.divf %lo, %q : f32
      attn.yield %c, %lo, %hi : f32, f32, f32
    }
  attn.pass ref = none
    phi(%s) {
      %zero = arith.constant 0.0 : f32
      %half = arith.constant 0.5 : f32
      %d = arith.subf %s, %m : f32
      %z = arith.mulf %d, %half : f32
      %y = arith.subf %z, %tau : f32
      %a = arith.maximumf %y, %zero : f32
      %p = arith.mulf %a, %a : f32
      attn.yield %p : f32
    }
    sums(l = one, n = value)
  attn.finish(%l, %n) {
    %o = arith.divf %n, %l : f32
    attn.yield %o : f32
  } outputs(o) empty(0.0)
}

// C3. w_j = max(s_j - max - tau, 0), tau such that they sum to 1 (Martins, Astudillo, From Softmax to Sparsemax, 2016).
attn.normalizer @sparsemax {
  %m, %k = attn.pass ref = max
    gauge(%r0, %r1) {
      %d = arith.subf %r0, %r1 : f32
      %g = math.exp %d : f32
      attn.yield %g : f32
    }
    phi(%s, %r) {
      %d = arith.subf %s, %r : f32
      %p = math.exp %d : f32
      attn.yield %p : f32
    }
    sums(c = count)
    stat(%r, %c) {
      attn.yield %r, %c : f32, f32
    }
  %tau = attn.root
    phi(%s, %x) {
      %zero = arith.constant 0.0 : f32
      %d = arith.subf %s, %m : f32
      %y = arith.subf %d, %x : f32
      %p = arith.maximumf %y, %zero : f32
      attn.yield %p : f32
    }
    to {
      %c = arith.constant 1.0 : f32
      %lo = arith.constant -1.0 : f32
      %hi = arith.divf %lo, %k : f32
      attn.yield %c, %lo, %hi : f32, f32, f32
    }
  attn.pass ref = none
    phi(%s) {
      %zero = arith.constant 0.0 : f32
      %d = arith.subf %s, %m : f32
      %y = arith.subf %d, %tau : f32
      %p = arith.maximumf %y, %zero : f32
      attn.yield %p : f32
    }
    sums(l = one, n = value)
  attn.finish(%l, %n) {
    %o = arith.divf %n, %l : f32
    attn.yield %o : f32
  } outputs(o) empty(0.0)
}

// C3. Softmax over the fewest largest scores whose weights sum to at least q (Holtzman et al., The Curious Case of Neural Text Degeneration, 2019); scores equal to the least of them stay.
// Scores more than 104 below the largest count as left out.
attn.normalizer @top_p(%q) {
  %m, %t = attn.pass ref = max
    gauge(%r0, %r1) {
      %d = arith.subf %r0, %r1 : f32
      %g = math.exp %d : f32
      attn.yield %g : f32
    }
    phi(%s, %r) {
      %d = arith.subf %s, %r : f32
      %p = math.exp %d : f32
      attn.yield %p : f32
    }
    sums(l = one)
    stat(%r, %l) {
      %g = math.log %l : f32
      %t = arith.addf %r, %g : f32
      attn.yield %r, %t : f32, f32
    }
  %x = attn.root
    phi(%s, %y) {
      %zero = arith.constant 0.0 : f32
      %d = arith.subf %s, %m : f32
      %e = arith.subf %s, %t : f32
      %w = math.exp %e : f32
      %in = arith.cmpf oge, %d, %y : f32
      %p = arith.select %in, %w, %zero : f32
      attn.yield %p : f32
    }
    to {
      %lo = arith.constant -104.0 : f32
      %hi = arith.constant 0.0 : f32
      %least = arith.constant 1.0e-30 : f32  // more than no key has: the largest stays, whatever rounds
      %c = arith.maximumf %q, %least : f32
      attn.yield %c, %lo, %hi : f32, f32, f32
    }
  attn.pass ref = none
    phi(%s) {
      %zero = arith.constant 0.0 : f32
      %d = arith.subf %s, %m : f32
      %e = arith.subf %s, %t : f32
      %w = math.exp %e : f32
      %in = arith.cmpf oge, %d, %x : f32
      %p = arith.select %in, %w, %zero : f32
      attn.yield %p : f32
    }
    sums(l = one, n = value)
  attn.finish(%l, %n) {
    %o = arith.divf %n, %l : f32
    attn.yield %o, %t : f32, f32
  } outputs(o, lse) empty(0.0, neg_inf)
}

// C5. The value of the key with the largest score; ties go to the lowest key (Xu et al., Learning Hard Retrieval Decoder Attention for Transformers, 2020).
attn.normalizer @argmax {
  attn.select largest
  attn.finish(%s, %v) {
    attn.yield %v, %s : f32, f32
  } outputs(o, max) empty(0.0, neg_inf)
}
