// Every nv op as the intrinsic of its instruction, and nothing but the LLVM dialect left.
// RUN: %attn-opt %s --nv-to-llvm | FileCheck %s --implicit-check-not=nv. --implicit-check-not=builtin.unrealized

// CHECK: module @attn_device attributes {llvm.data_layout = "e-p3:32:32-{{.*}}", llvm.target_triple = "nvptx64-nvidia-cuda"}
module @attn_device {
  // CHECK: llvm.mlir.global external @attn_shared() {addr_space = 3 : i32, alignment = 1024 : i64} : !llvm.array<0 x i8>
  // CHECK: llvm.func @mma
  llvm.func @mma(%a: i32, %x: f32) -> f32 {
    // CHECK: %[[D:.*]] = llvm.call_intrinsic "llvm.nvvm.mma.m16n8k16.row.col.bf16"({{.*}}) : (i32, i32, i32, i32, i32, i32, f32, f32, f32, f32) -> !llvm.struct<(f32, f32, f32, f32)>
    // CHECK-COUNT-4: llvm.extractvalue %[[D]]
    %d:4 = nv.mma(%a, %a, %a, %a), (%a, %a), (%x, %x, %x, %x) {kind = "bf16"} : (i32, i32, i32, i32), (i32, i32), (f32, f32, f32, f32) -> f32, f32, f32, f32
    // CHECK-COUNT-6: llvm.bitcast %{{.*}} : i32 to vector<2xf16>
    // CHECK: "llvm.nvvm.mma.m16n8k16.row.col.f32.f32"
    %e:4 = nv.mma(%a, %a, %a, %a), (%a, %a), (%d#0, %d#1, %d#2, %d#3) {kind = "f16"} : (i32, i32, i32, i32), (i32, i32), (f32, f32, f32, f32) -> f32, f32, f32, f32
    // CHECK: "llvm.nvvm.mma.m16n8k8.row.col.tf32"
    %f:4 = nv.mma(%a, %a, %a, %a), (%a, %a), (%e#0, %e#1, %e#2, %e#3) {kind = "tf32"} : (i32, i32, i32, i32), (i32, i32), (f32, f32, f32, f32) -> f32, f32, f32, f32
    llvm.return %f#3 : f32
  }
  // CHECK: llvm.func @memory
  llvm.func @memory(%p: !llvm.ptr, %n: i32, %g: !llvm.ptr<1>) -> i32 {
    // CHECK: %[[S:.*]] = llvm.mlir.addressof @attn_shared : !llvm.ptr<3>
    %s = nv.shared_memory
    // CHECK: %[[G:.*]] = llvm.addrspacecast %{{.*}} : !llvm.ptr to !llvm.ptr<1>
    // CHECK: "llvm.nvvm.cp.async.cg.shared.global.16.s"(%[[S]], %[[G]], %{{.*}})
    nv.copy_async %s, %p, %n {size = 16 : i32} : !llvm.ptr
    // CHECK: "llvm.nvvm.cp.async.ca.shared.global.8.s"(%[[S]], %{{.*}}, %{{.*}})
    nv.copy_async %s, %g, %n {size = 8 : i32} : !llvm.ptr<1>
    // A copy of all bytes says no number of them.
    %all = arith.constant 4 : i32
    // CHECK: "llvm.nvvm.cp.async.ca.shared.global.4"(%[[S]], %{{[^,]*}}) :
    nv.copy_async %s, %g, %all {size = 4 : i32} : !llvm.ptr<1>
    // CHECK: "llvm.nvvm.cp.async.commit.group"()
    nv.commit_group
    // CHECK: %[[TWO:.*]] = llvm.mlir.constant(2 : i32)
    // CHECK: "llvm.nvvm.cp.async.wait.group"(%[[TWO]])
    nv.wait_group {pending = 2 : i32}
    // CHECK: %[[ZERO:.*]] = llvm.mlir.constant(0 : i32)
    // CHECK: "llvm.nvvm.barrier.cta.sync.aligned.all"(%[[ZERO]])
    nv.barrier
    // CHECK: "llvm.nvvm.ldmatrix.sync.aligned.m8n8.x4.trans.b16.p3"(%[[S]]) : (!llvm.ptr<3>) -> !llvm.struct<(i32, i32, i32, i32)>
    %m:4 = nv.ldmatrix %s {num = 4 : i32, trans} : i32, i32, i32, i32
    // CHECK: "llvm.nvvm.ldmatrix.sync.aligned.m8n8.x1.b16.p3"(%[[S]]) : (!llvm.ptr<3>) -> i32
    %o = nv.ldmatrix %s {num = 1 : i32} : i32
    %r = arith.addi %m#3, %o : i32
    llvm.return %r : i32
  }
  // CHECK: llvm.func @lanes
  llvm.func @lanes(%x: f32, %n: i32, %c: i1) -> i32 {
    // CHECK: %[[MASK:.*]] = llvm.mlir.constant(2 : i32)
    // CHECK: %[[ALL:.*]] = llvm.mlir.constant(-1 : i32)
    // CHECK: %[[TOP:.*]] = llvm.mlir.constant(31 : i32)
    // CHECK: "llvm.nvvm.shfl.sync.bfly.f32"(%[[ALL]], %{{.*}}, %[[MASK]], %[[TOP]])
    %0 = nv.shuffle_xor %x, mask = 2 : f32
    // CHECK: "llvm.nvvm.shfl.sync.idx.i32"(%{{[^,]*}}, %[[N:[^,]*]], %[[N]], %{{[^,]*}}) : (i32, i32, i32, i32) -> i32
    %1 = nv.shuffle_idx %n, %n : i32
    // CHECK: "llvm.nvvm.vote.ballot.sync"(%{{.*}}, %{{.*}}) : (i32, i1) -> i32
    %2 = nv.ballot %c
    // CHECK: "llvm.nvvm.read.ptx.sreg.tid.x"()
    %3 = nv.thread_id
    // CHECK: "llvm.nvvm.read.ptx.sreg.ctaid.x"()
    %4 = nv.cta_id
    // CHECK: %[[E:.*]] = llvm.call_intrinsic "llvm.nvvm.ex2.approx.ftz"(%{{.*}}) : (f32) -> f32
    %5 = nv.exp2 %0
    // The instruction's first source is the upper half.
    // CHECK: "llvm.nvvm.ff2bf16x2.rn"(%[[X:[^,]*]], %[[E]]) : (f32, f32) -> vector<2xbf16>
    %6 = nv.pack %5, %x {kind = "bf16"}
    // CHECK: "llvm.nvvm.ff2f16x2.rn"(%[[X]], %[[E]]) : (f32, f32) -> vector<2xf16>
    %7 = nv.pack %5, %x {kind = "f16"}
    // CHECK: llvm.call_intrinsic "llvm.nvvm.f2tf32.rna"(%[[X]]) : (f32) -> i32
    %13 = nv.round_tf32 %x
    %14 = arith.xori %7, %13 : i32
    %8 = arith.addi %1, %2 : i32
    %9 = arith.addi %3, %4 : i32
    %10 = arith.xori %6, %14 : i32
    %11 = arith.xori %8, %9 : i32
    %12 = arith.xori %10, %11 : i32
    llvm.return %12 : i32
  }
  // scf, arith, math and vector go as well.
  // CHECK: llvm.func @rest
  llvm.func @rest(%p: !llvm.ptr, %n: i32) attributes {nvvm.kernel, nvvm.reqntid = array<i32: 128>} {
    %zero = arith.constant 0 : i32
    %one = arith.constant 1 : i32
    %v = llvm.load %p {alignment = 16 : i64} : !llvm.ptr -> vector<4xf32>
    // CHECK: llvm.br
    // CHECK: llvm.cond_br
    // CHECK: llvm.intr.fma
    // CHECK: llvm.intr.roundeven
    // CHECK: llvm.intr.maximum
    %r = scf.for %i = %zero to %n step %one iter_args(%acc = %v) -> vector<4xf32> : i32 {
      %f = math.fma %acc, %acc, %v : vector<4xf32>
      %g = math.roundeven %f : vector<4xf32>
      %h = arith.maximumf %f, %g : vector<4xf32>
      scf.yield %h : vector<4xf32>
    }
    llvm.store %r, %p {alignment = 16 : i64} : vector<4xf32>, !llvm.ptr
    llvm.return
  }
}

// Host code is not looked at.
// CHECK: func.func @host
// CHECK: math.exp2
func.func @host(%x: f32) -> f32 {
  %0 = math.exp2 %x : f32
  return %0 : f32
}
