// RUN: %attn-opt %s --attn-pipeline-vector | FileCheck %s

// What a task of block-sparse attention sees is listed once for all of its strips: panels that are not empty go to a table, behind which the count goes on, and where the keys of a block's panels are packed is read from a table too. So the variant has a main phase of its own: chunks of the keys have their blocks in order.

!t = tensor<?x?x?x64xf32>

// CHECK: llvm.func internal @attn_sparse_v3_main(
// CHECK: llvm.store %{{.*}}, %{{.*}} {alignment = 4 : i64} : i32, !llvm.ptr
// CHECK: llvm.load %{{.*}} {alignment = 8 : i64} : !llvm.ptr -> !llvm.ptr
// CHECK: llvm.func internal @attn_sparse_v3_raise0(
attn.kernel @sparse(%q: !t, %k: !t, %v: !t, %l: tensor<?x?x?x?xi32>) -> (o: !t) {
  %o = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = blocks<%l[b, h, i floordiv 64], block = 64>
    outputs o[b, h, i, e] : (!t, !t, !t) -> !t
  attn.return %o : !t
}

// A list that goes by the query has panels of its own for every strip.
// CHECK-NOT: llvm.func internal @attn_own_v3_main(
attn.kernel @own(%q: !t, %k: !t, %v: !t, %l: tensor<?x?x?x?xi32>) -> (o: !t) {
  %o = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = blocks<%l[b, h, i floordiv 4], block = 64>
    outputs o[b, h, i, e] : (!t, !t, !t) -> !t
  attn.return %o : !t
}
