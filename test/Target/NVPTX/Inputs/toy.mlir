// The shape of every program for GPUs with one kernel, @toy, lowered by --nv-to-llvm; what the infos hold does not matter here.
llvm.mlir.global external constant @attn_device_images() : i8
llvm.mlir.global external constant @attn_toy_info(dense<0> : vector<18xi32>) : vector<18xi32>
llvm.mlir.global external constant @attn_toy_gpu_info() : !llvm.ptr {
  %images = llvm.mlir.addressof @attn_device_images : !llvm.ptr
  llvm.return %images : !llvm.ptr
}
llvm.func @attn_rt_gpu_run(!llvm.ptr, !llvm.ptr, !llvm.ptr) -> i32
llvm.func @attn_rt_gpu_workspace(!llvm.ptr, !llvm.ptr, !llvm.ptr) -> i32
llvm.func @attn_toy_gpu(%call: !llvm.ptr, %stream: !llvm.ptr) -> i32 {
  %info = llvm.mlir.addressof @attn_toy_gpu_info : !llvm.ptr
  %status = llvm.call @attn_rt_gpu_run(%call, %info, %stream) : (!llvm.ptr, !llvm.ptr, !llvm.ptr) -> i32
  llvm.return %status : i32
}
llvm.func @attn_toy_gpu_workspace(%call: !llvm.ptr, %bytes: !llvm.ptr) -> i32 {
  %info = llvm.mlir.addressof @attn_toy_gpu_info : !llvm.ptr
  %status = llvm.call @attn_rt_gpu_workspace(%call, %info, %bytes) : (!llvm.ptr, !llvm.ptr, !llvm.ptr) -> i32
  llvm.return %status : i32
}
module @attn_device {
  llvm.func @toy_main(%out: !llvm.ptr, %x: f32) attributes {nvvm.kernel, nvvm.reqntid = array<i32: 32>} {
    %e = nv.exp2 %x
    llvm.store %e, %out : f32, !llvm.ptr
    llvm.return
  }
}
