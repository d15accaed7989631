// A kernel for each phase, one main kernel for whole and for split keys; products on tensor cores in the first pass, element by element in the
// second; constants that the runtime launches by.
// RUN: %attn-opt %s --attn-pipeline-nv --mlir-print-ir-after-all -o /dev/null 2>&1 | FileCheck %s --check-prefix=VERIFIED
// RUN: %attn-opt %s --attn-pipeline-nv | FileCheck %s
// VERIFIED: IR Dump After
!t = tensor<?x?x?x64xbf16>
attn.kernel @causal(%q: !t, %k: !t, %v: !t) -> (o: !t, lse: tensor<?x?x?xf32>) {
  %o, %lse = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = causal<bottom_right>
    normalize = @softmax
    outputs o[b, h, i, e], lse[b, h, i]
    : (!t, !t, !t) -> (!t, tensor<?x?x?xf32>)
  attn.return %o, %lse : !t, tensor<?x?x?xf32>
}

// CHECK-LABEL: module @attn_device
// Tensors, workspace, words: 6 extents, 3 + 1 tensors of rank 4 and one of rank 3.
// CHECK: llvm.func @attn_causal_stage_main(%arg0: !llvm.ptr, {{.*}} %arg6: !llvm.ptr {llvm.align = 8 : i64, llvm.byval = !llvm.array<44 x i64>, nvvm.grid_constant}) attributes {attn.resources = {ctas = 2 : i64, registers = 234 : i64, shared = 64576 : i64}, nvvm.kernel, nvvm.minctasm = 2 : i32, nvvm.reqntid = array<i32: 128>}
// Queries are copied as they are.
// CHECK: nv.copy_async
// Which blocks: two votes a group.
// CHECK: nv.ballot
// CHECK-NEXT: nv.ballot
// A block: staged unless it is on its way, the next one sent for, then 8 tiles of 8 keys by 4 steps of 16 features.
// CHECK: nv.barrier
// CHECK: nv.copy_async
// CHECK: nv.commit_group
// CHECK: nv.copy_async
// CHECK: nv.commit_group
// CHECK: nv.wait_group {pending = 1 : i32}
// CHECK: nv.wait_group {pending = 0 : i32}
// CHECK: nv.barrier
// CHECK-COUNT-32: nv.mma{{.*}}kind = "bf16"
// CHECK-NOT: nv.mma
// A row's largest, over four lanes.
// CHECK: arith.maximumf
// CHECK: nv.shuffle_xor %{{.*}}, mask = 1
// CHECK: nv.shuffle_xor %{{.*}}, mask = 2
// CHECK-COUNT-32: nv.exp2
// Weights in 16 bits, and 4 steps of 16 keys by 8 tiles of 8 value features.
// CHECK: nv.pack
// CHECK-COUNT-32: nv.mma
// CHECK: nvvm.kernel
// CHECK-SAME: {{$}}
// CHECK: llvm.mlir.global internal constant @attn_causal_gpu_phases_0
// CHECK: llvm.mlir.global external constant @attn_causal_gpu_info
// CHECK: llvm.func @attn_rt_gpu_run
// CHECK: llvm.func @attn_causal_gpu
// CHECK: llvm.func @attn_causal_gpu_workspace
