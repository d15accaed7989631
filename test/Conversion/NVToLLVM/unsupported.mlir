// What would be a call of libdevice, or has no device code.
// RUN: %attn-opt %s --split-input-file --verify-diagnostics --nv-to-llvm

module @attn_device {
  llvm.func @exp2(%x: f32) -> f32 {
    // expected-error@below {{[unsupported_device_math] math.exp2 on 'f32' has no code without libdevice; write it with nv.exp2, fma, sqrt or arith}}
    %0 = math.exp2 %x : f32
    llvm.return %0 : f32
  }
}

// -----

module @attn_device {
  llvm.func @remainder(%x: f64) -> f64 {
    // expected-error@below {{[unsupported_device_math] arith.remf on 'f64' has no code without libdevice}}
    %0 = arith.remf %x, %x : f64
    // expected-error@below {{[unsupported_device_math] math.log on 'f64' has no code without libdevice}}
    %1 = math.log %0 : f64
    llvm.return %1 : f64
  }
}

// -----

module @attn_device {
  // expected-error@below {{[unsupported_device_op] func.func has no device code; device functions are llvm.func with}}
  func.func private @f()
}
