// RUN: %attn-opt %s --verify-roundtrip | FileCheck %s

// CHECK-LABEL: llvm.func @all
llvm.func @all(%p: !llvm.ptr, %a: i32, %x: f32, %c: i1) {
  // CHECK: %[[S:.*]] = nv.shared_memory
  %s = nv.shared_memory
  // CHECK: nv.mma(%{{.*}}), (%{{.*}}), (%{{.*}}) {kind = "bf16"} : (i32, i32, i32, i32), (i32, i32), (f32, f32, f32, f32) -> f32, f32, f32, f32
  %d:4 = nv.mma(%a, %a, %a, %a), (%a, %a), (%x, %x, %x, %x) {kind = "bf16"} : (i32, i32, i32, i32), (i32, i32), (f32, f32, f32, f32) -> f32, f32, f32, f32
  // CHECK: nv.ldmatrix %[[S]] {num = 4 : i32, trans} : i32, i32, i32, i32
  %m:4 = nv.ldmatrix %s {num = 4 : i32, trans} : i32, i32, i32, i32
  // CHECK: nv.copy_async %[[S]], %{{.*}}, %{{.*}} {size = 16 : i32} : !llvm.ptr
  nv.copy_async %s, %p, %a {size = 16 : i32} : !llvm.ptr
  // CHECK: nv.commit_group
  nv.commit_group
  // CHECK: nv.wait_group {pending = 1 : i32}
  nv.wait_group {pending = 1 : i32}
  // CHECK: nv.barrier
  nv.barrier
  // CHECK: nv.shuffle_xor %{{.*}}, mask = 16 : f32
  %0 = nv.shuffle_xor %x, mask = 16 : f32
  // CHECK: nv.shuffle_idx %{{.*}}, %{{.*}} : i32
  %1 = nv.shuffle_idx %a, %a : i32
  // CHECK: nv.ballot
  %2 = nv.ballot %c
  // CHECK: nv.thread_id
  %3 = nv.thread_id
  // CHECK: nv.cta_id
  %4 = nv.cta_id
  // CHECK: nv.exp2
  %5 = nv.exp2 %x
  // CHECK: nv.pack %{{.*}}, %{{.*}} {kind = "f16"}
  %6 = nv.pack %5, %x {kind = "f16"}
  // CHECK: nv.round_tf32
  %7 = nv.round_tf32 %x
  llvm.return
}
