// The instruction of every nv op, and what else the text promises: one .rn for each sum and product that is not fused, loads and stores of 16 bytes
// that know they are global or shared, 32-bit shared addresses.
// RUN: %attn-opt %s --nv-to-llvm > %t.mlir
// RUN: %attnc %t.mlir --target=sm_80,sm_90 --emit=ptx -o - | FileCheck %s
// RUN: %attnc %t.mlir --target=sm_90 --emit=ptx -o - | FileCheck %s --check-prefix=SM90
// RUN: %attnc %t.mlir --target=sm_80 --emit=ll -o - | FileCheck %s --check-prefix=LL
// RUN: %attnc %t.mlir --target=sm_80 --emit=ptx,ll -o %t.1 && %attnc %t.mlir --target=sm_80 --emit=ptx,ll -o %t.2 && cmp %t.1.ptx %t.2.ptx && cmp %t.1.ll %t.2.ll

// SM90: .version 7.8
// SM90: .target sm_90
// CHECK: .version 7.8
// CHECK: .target sm_80
// CHECK: .extern .shared .align 1024 .b8 attn_shared[];
module @attn_device {
  // LL: define ptx_kernel void @ops(
  // CHECK-LABEL: .visible .entry ops(
  // CHECK: .param .u64 .ptr .align 1 ops_param_0,
  // CHECK: .param .align 8 .b8 ops_param_2[48]
  // CHECK: .reqntid 128
  // CHECK-NEXT: .minnctapersm 1
  llvm.func @ops(%in: !llvm.ptr, %out: !llvm.ptr, %words: !llvm.ptr {llvm.byval = !llvm.array<6 x i64>, nvvm.grid_constant, llvm.align = 8 : i64}) attributes {nvvm.kernel, nvvm.reqntid = array<i32: 128>} {
    // CHECK-DAG: ld.param.b64 [[N:%rd[0-9]+]], [ops_param_2+16];
    // CHECK-DAG: mov.u32 [[T:%r[0-9]+]], %tid.x;
    // CHECK-DAG: mov.u32 %r{{[0-9]+}}, %ctaid.x;
    %np = llvm.getelementptr %words[2] : (!llvm.ptr) -> !llvm.ptr, i64
    %n = llvm.load %np : !llvm.ptr -> i64
    %t = nv.thread_id
    %c = nv.cta_id
    %s = nv.shared_memory
    %t4 = arith.muli %t, %c : i32
    %rows = llvm.getelementptr %s[%t] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, !llvm.array<16 x i8>
    %src = llvm.getelementptr %in[%n] : (!llvm.ptr, i64) -> !llvm.ptr, f32
    %all = arith.constant 16 : i32
    // CHECK: cp.async.cg.shared.global [%r{{[0-9]+}}], [%rd{{[0-9]+}}], 16;
    nv.copy_async %rows, %src, %all {size = 16 : i32} : !llvm.ptr
    // CHECK: cp.async.cg.shared.global [%r{{[0-9]+}}+4096], [%rd{{[0-9]+}}], 16, %r{{[0-9]+}};
    %next = llvm.getelementptr %rows[4096] : (!llvm.ptr<3>) -> !llvm.ptr<3>, i8
    nv.copy_async %next, %src, %c {size = 16 : i32} : !llvm.ptr
    // CHECK: cp.async.ca.shared.global [%r{{[0-9]+}}+8192], [%rd{{[0-9]+}}], 8, %r{{[0-9]+}};
    %third = llvm.getelementptr %rows[8192] : (!llvm.ptr<3>) -> !llvm.ptr<3>, i8
    nv.copy_async %third, %src, %c {size = 8 : i32} : !llvm.ptr
    // CHECK: cp.async.commit_group;
    nv.commit_group
    // CHECK: cp.async.wait_group 0;
    nv.wait_group {pending = 0 : i32}
    // CHECK: bar.sync 0;
    nv.barrier
    // CHECK: ldmatrix.sync.aligned.m8n8.x4.shared.b16 {[[A:%r[0-9]+, %r[0-9]+, %r[0-9]+, %r[0-9]+]]}, [%r{{[0-9]+}}];
    %a:4 = nv.ldmatrix %rows {num = 4 : i32} : i32, i32, i32, i32
    // CHECK: ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {[[B:%r[0-9]+, %r[0-9]+]]}, [%r{{[0-9]+}}+4096];
    %b:2 = nv.ldmatrix %next {num = 2 : i32, trans} : i32, i32
    // CHECK: ld.global.v4.b32 {[[C:%r[0-9]+, %r[0-9]+, %r[0-9]+, %r[0-9]+]]}, [%rd{{[0-9]+}}];
    %x = llvm.load %src {alignment = 16 : i64} : !llvm.ptr -> vector<4xf32>
    %x0 = vector.extract %x[0] : f32 from vector<4xf32>
    %x1 = vector.extract %x[1] : f32 from vector<4xf32>
    %x2 = vector.extract %x[2] : f32 from vector<4xf32>
    %x3 = vector.extract %x[3] : f32 from vector<4xf32>
    // CHECK: mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32
    // CHECK-NEXT: {[[D:%r[0-9]+, %r[0-9]+, %r[0-9]+, %r[0-9]+]]},
    // CHECK-NEXT: {[[A]]},
    // CHECK-NEXT: {[[B]]},
    // CHECK-NEXT: {[[C]]};
    %d:4 = nv.mma(%a#0, %a#1, %a#2, %a#3), (%b#0, %b#1), (%x0, %x1, %x2, %x3) {kind = "bf16"} : (i32, i32, i32, i32), (i32, i32), (f32, f32, f32, f32) -> f32, f32, f32, f32
    // CHECK: mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32
    // CHECK: {[[D]]};
    %e:4 = nv.mma(%a#0, %a#1, %a#2, %a#3), (%b#0, %b#1), (%d#0, %d#1, %d#2, %d#3) {kind = "f16"} : (i32, i32, i32, i32), (i32, i32), (f32, f32, f32, f32) -> f32, f32, f32, f32
    // CHECK: mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32
    %f:4 = nv.mma(%a#0, %a#1, %a#2, %a#3), (%b#0, %b#1), (%e#0, %e#1, %e#2, %e#3) {kind = "tf32"} : (i32, i32, i32, i32), (i32, i32), (f32, f32, f32, f32) -> f32, f32, f32, f32
    // CHECK: shfl.sync.bfly.b32 [[X:%r[0-9]+]], %r{{[0-9]+}}, 2, 31, -1;
    %g = nv.shuffle_xor %f#0, mask = 2 : f32
    // CHECK: shfl.sync.idx.b32 [[Y:%r[0-9]+]], %r{{[0-9]+}}, [[T]], 31, -1;
    %h = nv.shuffle_idx %f#1, %t : f32
    // CHECK: ex2.approx.ftz.f32 [[E:%r[0-9]+]], [[X]];
    %i = nv.exp2 %g
    // CHECK: mul.rn.f32 [[M:%r[0-9]+]], [[Y]], [[E]];
    %m = arith.mulf %i, %h : f32
    // CHECK: add.rn.f32 [[S:%r[0-9]+]], %r{{[0-9]+}}, [[M]];
    %sum = arith.addf %m, %f#2 : f32
    // CHECK: fma.rn.f32 [[F:%r[0-9]+]], [[Y]], [[S]], %r{{[0-9]+}};
    %mc = arith.mulf %sum, %h fastmath<contract> : f32
    %fma = arith.addf %mc, %f#3 fastmath<contract> : f32
    // CHECK: max.NaN.f32 [[MAX:%r[0-9]+]], [[F]], [[E]];
    %max = arith.maximumf %fma, %i : f32
    // The upper half comes first.
    // CHECK: cvt.rn.bf16x2.f32 %r{{[0-9]+}}, [[Y]], [[MAX]];
    %p = nv.pack %max, %h {kind = "bf16"}
    // CHECK: cvt.rn.f16x2.f32 %r{{[0-9]+}}, [[MAX]], [[Y]];
    %q = nv.pack %h, %max {kind = "f16"}
    // CHECK: vote.sync.ballot.b32 %r{{[0-9]+}}, %p{{[0-9]+}}, -1;
    %nan = arith.cmpf uno, %max, %max : f32
    %v = nv.ballot %nan
    %y0 = vector.from_elements %p, %q, %v, %t4 : vector<4xi32>
    // CHECK: st.shared.v4.b32
    llvm.store %y0, %third {alignment = 16 : i64} : vector<4xi32>, !llvm.ptr<3>
    // CHECK: st.global.v4.b32
    %o = llvm.getelementptr %out[%n] : (!llvm.ptr, i64) -> !llvm.ptr, f32
    llvm.store %y0, %o {alignment = 16 : i64} : vector<4xi32>, !llvm.ptr
    llvm.return
  }

  // Two products stay two: one for both branches would be executed by other lanes together.
  // CHECK-LABEL: .visible .entry branches(
  // CHECK: .minnctapersm 3
  // CHECK-COUNT-2: mma.sync
  llvm.func @branches(%out: !llvm.ptr, %a: i32, %b: i32, %x: f32) attributes {nvvm.kernel, nvvm.reqntid = array<i32: 32>, nvvm.minctasm = 3 : i32} {
    %c = nv.cta_id
    %even = arith.trunci %c : i32 to i1
    %r = scf.if %even -> f32 {
      %d:4 = nv.mma(%a, %a, %a, %a), (%a, %a), (%x, %x, %x, %x) {kind = "bf16"} : (i32, i32, i32, i32), (i32, i32), (f32, f32, f32, f32) -> f32, f32, f32, f32
      scf.yield %d#0 : f32
    } else {
      %d:4 = nv.mma(%b, %a, %a, %a), (%a, %a), (%x, %x, %x, %x) {kind = "bf16"} : (i32, i32, i32, i32), (i32, i32), (f32, f32, f32, f32) -> f32, f32, f32, f32
      scf.yield %d#0 : f32
    }
    llvm.store %r, %out : f32, !llvm.ptr
    llvm.return
  }

  // Functions are local and inlined.
  // CHECK-NOT: .func
  llvm.func @square(%x: f32) -> f32 {
    %y = arith.mulf %x, %x : f32
    llvm.return %y : f32
  }
  // CHECK-LABEL: .visible .entry calls(
  // CHECK: mul.rn.f32
  llvm.func @calls(%out: !llvm.ptr, %x: f32) attributes {nvvm.kernel} {
    %y = llvm.call @square(%x) : (f32) -> f32
    llvm.store %y, %out : f32, !llvm.ptr
    llvm.return
  }
}
