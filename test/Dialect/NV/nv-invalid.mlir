// RUN: %attn-opt %s --split-input-file --verify-diagnostics

llvm.func @nv_c1(%a: i32, %x: f32) {
  // expected-error@below {{[nv_c1] the kind is bf16, f16 or tf32, not 'e4m3'}}
  %d:4 = nv.mma(%a, %a, %a, %a), (%a, %a), (%x, %x, %x, %x) {kind = "e4m3"} : (i32, i32, i32, i32), (i32, i32), (f32, f32, f32, f32) -> f32, f32, f32, f32
  llvm.return
}

// -----

llvm.func @nv_c2(%a: i32, %x: f32) {
  // expected-error@below {{[nv_c2] a has four registers, b two, c and d four; here they have 2, 2, 4 and 4}}
  %d:4 = nv.mma(%a, %a), (%a, %a), (%x, %x, %x, %x) {kind = "f16"} : (i32, i32), (i32, i32), (f32, f32, f32, f32) -> f32, f32, f32, f32
  llvm.return
}

// -----

llvm.func @nv_c2_results(%a: i32, %x: f32) {
  // expected-error@below {{[nv_c2] a has four registers, b two, c and d four; here they have 4, 2, 4 and 2}}
  %d:2 = nv.mma(%a, %a, %a, %a), (%a, %a), (%x, %x, %x, %x) {kind = "f16"} : (i32, i32, i32, i32), (i32, i32), (f32, f32, f32, f32) -> f32, f32
  llvm.return
}

// -----

llvm.func @nv_c3(%s: !llvm.ptr<3>) {
  // expected-error@below {{[nv_c3] num is 1, 2 or 4 and so many are the results; here it is 3 and they are 3}}
  %m:3 = nv.ldmatrix %s {num = 3 : i32} : i32, i32, i32
  llvm.return
}

// -----

llvm.func @nv_c3_results(%s: !llvm.ptr<3>) {
  // expected-error@below {{[nv_c3] num is 1, 2 or 4 and so many are the results; here it is 4 and they are 2}}
  %m:2 = nv.ldmatrix %s {num = 4 : i32} : i32, i32
  llvm.return
}

// -----

llvm.func @generic(%p: !llvm.ptr) {
  // expected-error@below {{'nv.ldmatrix' op operand #0 must be LLVM pointer in address space 3, but got '!llvm.ptr'}}
  %m = "nv.ldmatrix"(%p) {num = 1 : i32} : (!llvm.ptr) -> i32
  llvm.return
}

// -----

llvm.func @nv_c4(%s: !llvm.ptr<3>, %p: !llvm.ptr, %n: i32) {
  // expected-error@below {{[nv_c4] the size is 16, 8 or 4, not 12}}
  nv.copy_async %s, %p, %n {size = 12 : i32} : !llvm.ptr
  llvm.return
}

// -----

llvm.func @nv_c5(%s: !llvm.ptr<3>, %p: !llvm.ptr) {
  %n = arith.constant 12 : i32
  // expected-error@below {{[nv_c5] 12 bytes are not 0 to the size, 8}}
  nv.copy_async %s, %p, %n {size = 8 : i32} : !llvm.ptr
  llvm.return
}

// -----

llvm.func @nv_c5_negative(%s: !llvm.ptr<3>, %p: !llvm.ptr) {
  %n = arith.constant -4 : i32
  // expected-error@below {{[nv_c5] -4 bytes are not 0 to the size, 8}}
  nv.copy_async %s, %p, %n {size = 8 : i32} : !llvm.ptr
  llvm.return
}

// -----

llvm.func @nv_c6() {
  // expected-error@below {{[nv_c6] the number of groups that may be pending is not negative}}
  nv.wait_group {pending = -1 : i32}
  llvm.return
}

// -----

llvm.func @nv_c7(%x: f32) {
  // expected-error@below {{[nv_c7] the mask is 1 to 31, not 32}}
  %0 = nv.shuffle_xor %x, mask = 32 : f32
  llvm.return
}

// -----

llvm.func @wide(%x: f64) {
  // expected-error@below {{'nv.shuffle_xor' op operand #0 must be f32 or i32, but got 'f64'}}
  %0 = nv.shuffle_xor %x, mask = 1 : f64
  llvm.return
}

// -----

llvm.func @nv_c8(%x: f32) {
  // expected-error@below {{[nv_c8] the kind is bf16 or f16, not 'tf32'}}
  %0 = nv.pack %x, %x {kind = "tf32"}
  llvm.return
}
