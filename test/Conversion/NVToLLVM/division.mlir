// Quotients of f32 are no calls, and correctly rounded: the kernel runs in the simulator on what is rare and on numbers at random.
// RUN: %attn-opt %s --nv-to-llvm > %t.mlir
// RUN: %attnc %t.mlir --target=sm_80 --emit=ptx -o %t
// RUN: FileCheck %s < %t.ptx
// RUN: %python %S/Inputs/division.py %attn-sim %t.ptx | FileCheck %s --check-prefix=RIGHT

// CHECK: rcp.approx.ftz.f32
// CHECK-NOT: div.{{.*}}f32
// CHECK: rcp.rn.f64
// RIGHT: {{^}}0 of {{[0-9]+}} quotients are wrong
module @attn_device {
  llvm.func @quotients(%n: !llvm.ptr, %d: !llvm.ptr, %q: !llvm.ptr) attributes {nvvm.kernel, nvvm.reqntid = array<i32: 128>} {
    %t = nv.thread_id
    %c = nv.cta_id
    %size = arith.constant 128 : i32
    %first = arith.muli %c, %size : i32
    %i = arith.addi %first, %t : i32
    %np = llvm.getelementptr %n[%i] : (!llvm.ptr, i32) -> !llvm.ptr, f32
    %dp = llvm.getelementptr %d[%i] : (!llvm.ptr, i32) -> !llvm.ptr, f32
    %qp = llvm.getelementptr %q[%i] : (!llvm.ptr, i32) -> !llvm.ptr, f32
    %x = llvm.load %np : !llvm.ptr -> f32
    %y = llvm.load %dp : !llvm.ptr -> f32
    %z = arith.divf %x, %y : f32
    llvm.store %z, %qp : f32, !llvm.ptr
    llvm.return
  }
  // By a power of two it is a product; f64 is as it was.
  llvm.func @others(%p: !llvm.ptr) attributes {nvvm.kernel, nvvm.reqntid = array<i32: 128>} {
    %x = llvm.load %p : !llvm.ptr -> f32
    %four = arith.constant 4.0 : f32
    %y = arith.divf %x, %four : f32
    %w = arith.extf %y : f32 to f64
    %one = arith.constant 1.0 : f64
    %z = arith.divf %one, %w : f64
    llvm.store %z, %p : f64, !llvm.ptr
    llvm.return
  }
}
