// RUN: %attn-opt %s --split-input-file --verify-diagnostics

// Rules of attn.kernel.

// expected-error@below {{[kernel_c1] argument %x has rank 0; tensors have rank 1 to 6}}
attn.kernel @kernel_c1_rank(%q: tensor<?x64xf32>, %x: tensor<f32>) -> (o: tensor<?x64xf32>) {
  %o = attn.attend dims(| i | j | c, e)
    q = %q[i, c] k = %q[j, c] v = %q[j, e]
    outputs o[i, e]
    : (tensor<?x64xf32>, tensor<?x64xf32>, tensor<?x64xf32>) -> tensor<?x64xf32>
  attn.return %o : tensor<?x64xf32>
}

// -----

// expected-error@below {{[kernel_c1] argument %x has rank 7; tensors have rank 1 to 6}}
attn.kernel @kernel_c1_high_rank(%q: tensor<?x64xf32>, %x: tensor<?x?x?x?x?x?x?xf32>) -> (o: tensor<?x64xf32>) {
  %o = attn.attend dims(| i | j | c, e)
    q = %q[i, c] k = %q[j, c] v = %q[j, e]
    outputs o[i, e]
    : (tensor<?x64xf32>, tensor<?x64xf32>, tensor<?x64xf32>) -> tensor<?x64xf32>
  attn.return %o : tensor<?x64xf32>
}

// -----

// expected-error@below {{[kernel_c1] argument %x has element type 'i16'; there are f64, f32, bf16, f16, i64, i32, i8 and i1}}
attn.kernel @kernel_c1_element(%q: tensor<?x64xf32>, %x: tensor<?xi16>) -> (o: tensor<?x64xf32>) {
  %o = attn.attend dims(| i | j | c, e)
    q = %q[i, c] k = %q[j, c] v = %q[j, e]
    outputs o[i, e]
    : (tensor<?x64xf32>, tensor<?x64xf32>, tensor<?x64xf32>) -> tensor<?x64xf32>
  attn.return %o : tensor<?x64xf32>
}

// -----

// expected-error@below {{[kernel_c1] argument %x has element type 'si32'}}
attn.kernel @kernel_c1_signed(%q: tensor<?x64xf32>, %x: tensor<?xsi32>) -> (o: tensor<?x64xf32>) {
  %o = attn.attend dims(| i | j | c, e)
    q = %q[i, c] k = %q[j, c] v = %q[j, e]
    outputs o[i, e]
    : (tensor<?x64xf32>, tensor<?x64xf32>, tensor<?x64xf32>) -> tensor<?x64xf32>
  attn.return %o : tensor<?x64xf32>
}

// -----

// expected-error@below {{[kernel_c1] argument %x has type 'tensor<*xf32>'; use a ranked tensor or a scalar index, i64, i32, f32, f64}}
attn.kernel @kernel_c1_unranked(%q: tensor<?x64xf32>, %x: tensor<*xf32>) -> (o: tensor<?x64xf32>) {
  %o = attn.attend dims(| i | j | c, e)
    q = %q[i, c] k = %q[j, c] v = %q[j, e]
    outputs o[i, e]
    : (tensor<?x64xf32>, tensor<?x64xf32>, tensor<?x64xf32>) -> tensor<?x64xf32>
  attn.return %o : tensor<?x64xf32>
}

// -----

// expected-error@below {{[kernel_c1] argument %x has type 'bf16'; use a ranked tensor or a scalar}}
attn.kernel @kernel_c1_scalar(%q: tensor<?x64xf32>, %x: bf16) -> (o: tensor<?x64xf32>) {
  %o = attn.attend dims(| i | j | c, e)
    q = %q[i, c] k = %q[j, c] v = %q[j, e]
    outputs o[i, e]
    : (tensor<?x64xf32>, tensor<?x64xf32>, tensor<?x64xf32>) -> tensor<?x64xf32>
  attn.return %o : tensor<?x64xf32>
}

// -----

// expected-error@below {{[kernel_c1] argument %x has type '!attn.set'}}
attn.kernel @kernel_c1_set(%q: tensor<?x64xf32>, %x: !attn.set) -> (o: tensor<?x64xf32>) {
  %o = attn.attend dims(| i | j | c, e)
    q = %q[i, c] k = %q[j, c] v = %q[j, e]
    outputs o[i, e]
    : (tensor<?x64xf32>, tensor<?x64xf32>, tensor<?x64xf32>) -> tensor<?x64xf32>
  attn.return %o : tensor<?x64xf32>
}

// -----

// expected-error@below {{[kernel_c1] result o has type 'f32'; use a ranked tensor}}
attn.kernel @kernel_c1_result(%q: tensor<?x64xf32>, %x: f32) -> (o: f32) {
  %o = attn.attend dims(| i | j | c, e)
    q = %q[i, c] k = %q[j, c] v = %q[j, e]
    outputs o[i, e]
    : (tensor<?x64xf32>, tensor<?x64xf32>, tensor<?x64xf32>) -> tensor<?x64xf32>
  attn.return %x : f32
}

// -----

// expected-error@below {{[kernel_c2] the name 'q' is used twice}}
attn.kernel @kernel_c2_twice(%q: tensor<?x64xf32>) -> (q: tensor<?x64xf32>) {
  %o = attn.attend dims(| i | j | c, e)
    q = %q[i, c] k = %q[j, c] v = %q[j, e]
    outputs o[i, e]
    : (tensor<?x64xf32>, tensor<?x64xf32>, tensor<?x64xf32>) -> tensor<?x64xf32>
  attn.return %o : tensor<?x64xf32>
}

// -----

// expected-error@below {{[kernel_c2] 'q.x' is no identifier; name arguments with letters, digits and _}}
attn.kernel @kernel_c2_identifier(%q.x: tensor<?x64xf32>) -> (o: tensor<?x64xf32>) {
  %o = attn.attend dims(| i | j | c, e)
    q = %q.x[i, c] k = %q.x[j, c] v = %q.x[j, e]
    outputs o[i, e]
    : (tensor<?x64xf32>, tensor<?x64xf32>, tensor<?x64xf32>) -> tensor<?x64xf32>
  attn.return %o : tensor<?x64xf32>
}

// -----

// expected-error@below {{[kernel_c2] '0' is no identifier; name arguments with letters, digits and _}}
attn.kernel @kernel_c2_number(%0: tensor<?x64xf32>) -> (o: tensor<?x64xf32>) {
  %o = attn.attend dims(| i | j | c, e)
    q = %0[i, c] k = %0[j, c] v = %0[j, e]
    outputs o[i, e]
    : (tensor<?x64xf32>, tensor<?x64xf32>, tensor<?x64xf32>) -> tensor<?x64xf32>
  attn.return %o : tensor<?x64xf32>
}

// -----

// expected-error@below {{[kernel_c2] the kernel's name must be an identifier [A-Za-z_][A-Za-z0-9_]*, for it becomes a C symbol}}
attn.kernel @"my kernel"(%q: tensor<?x64xf32>) -> (o: tensor<?x64xf32>) {
  %o = attn.attend dims(| i | j | c, e)
    q = %q[i, c] k = %q[j, c] v = %q[j, e]
    outputs o[i, e]
    : (tensor<?x64xf32>, tensor<?x64xf32>, tensor<?x64xf32>) -> tensor<?x64xf32>
  attn.return %o : tensor<?x64xf32>
}

// -----

attn.kernel @kernel_c3_types(%q: tensor<?x64xf32>) -> (o: tensor<?x32xf32>) {
  %o = attn.attend dims(| i | j | c, e)
    q = %q[i, c] k = %q[j, c] v = %q[j, e]
    outputs o[i, e]
    : (tensor<?x64xf32>, tensor<?x64xf32>, tensor<?x64xf32>) -> tensor<?x64xf32>
  // expected-error@below {{[kernel_c3] the returned types differ from the kernel's result types}}
  attn.return %o : tensor<?x64xf32>
}

// -----

attn.kernel @kernel_c3_count(%q: tensor<?x64xf32>) -> (o: tensor<?x64xf32>) {
  %o = attn.attend dims(| i | j | c, e)
    q = %q[i, c] k = %q[j, c] v = %q[j, e]
    outputs o[i, e]
    : (tensor<?x64xf32>, tensor<?x64xf32>, tensor<?x64xf32>) -> tensor<?x64xf32>
  // expected-error@below {{[kernel_c3] the returned types differ from the kernel's result types}}
  attn.return
}

// -----

// expected-error@below {{[kernel_c3] end the body with attn.return}}
attn.kernel @kernel_c3_missing() -> () {
  attn.yield
}
