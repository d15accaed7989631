// The shape of every lowered program with one kernel, @toy; the info's content does not matter here. @helper becomes a local symbol.
llvm.func @attn_rt_run(!llvm.ptr, !llvm.ptr) -> i32
llvm.func @attn_rt_workspace(!llvm.ptr, !llvm.ptr, !llvm.ptr) -> i32
llvm.mlir.global external constant @attn_toy_info(dense<0> : vector<18xi32>) : vector<18xi32>
llvm.func @attn_toy(%call: !llvm.ptr) -> i32 {
  %info = llvm.mlir.addressof @attn_toy_info : !llvm.ptr
  %status = llvm.call @attn_rt_run(%call, %info) : (!llvm.ptr, !llvm.ptr) -> i32
  llvm.return %status : i32
}
llvm.func @attn_toy_workspace(%call: !llvm.ptr, %bytes: !llvm.ptr) -> i32 {
  %info = llvm.mlir.addressof @attn_toy_info : !llvm.ptr
  %status = llvm.call @attn_rt_workspace(%call, %info, %bytes) : (!llvm.ptr, !llvm.ptr, !llvm.ptr) -> i32
  llvm.return %status : i32
}
llvm.func @helper(%p: !llvm.ptr, %n: i64) {
  %zero = llvm.mlir.constant(0 : i8) : i8
  %c0 = llvm.mlir.constant(0 : i64) : i64
  %c1 = llvm.mlir.constant(1 : i64) : i64
  llvm.br ^head(%c0 : i64)
^head(%i: i64):
  %more = llvm.icmp "slt" %i, %n : i64
  llvm.cond_br %more, ^body, ^done
^body:
  %a = llvm.getelementptr %p[%i] : (!llvm.ptr, i64) -> !llvm.ptr, i8
  llvm.store %zero, %a : i8, !llvm.ptr
  %next = llvm.add %i, %c1 : i64
  llvm.br ^head(%next : i64)
^done:
  llvm.return
}
