// RUN: %attn-opt %s --attn-pipeline-schedule | FileCheck %s
// RUN: %attn-opt %s --attn-pipeline-vector | FileCheck %s --check-prefix=CODE

// For few rows, variants that read keys and values where they lie: strips of one query of all heads that share keys.

// CHECK-LABEL: attn.kernel @alone(
// CHECK: attn.schedule = [{block_keys = 256 : i64, block_rows = 4 : i64, chunks = 16 : i64, few = 4 : i64, name = "split_few", task_rows = 4 : i64, {{[^}]*}}tile_rows = 1 : i64}, {{{.*}}few = 4 : i64, name = "few", {{[^}]*}}}, {{{.*}}name = "split"
// One function for both, and nothing is packed.
// CODE: llvm.func internal @attn_alone_v0_main(
// CODE-NOT: @attn_alone_v0_pack(
// CODE-NOT: @attn_alone_v1_main(
// CODE: llvm.func internal @attn_alone_v2_main(
!t = tensor<?x?x?x64xf32>
attn.kernel @alone(%q: !t, %k: !t, %v: !t) -> (o: !t) {
  %o = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    outputs o[b, h, i, e] : (!t, !t, !t) -> !t
  attn.return %o : !t
}

// CHECK-LABEL: attn.kernel @eight(
// CHECK: attn.schedule = [{{{.*}}block_rows = 8 : i64, chunks = 16 : i64, few = 1 : i64, name = "split_few", {{[^}]*}}tile_rows = 8 : i64, together}, {{{.*}}name = "few", {{[^}]*}}together}, {{{.*}}name = "split_group"
attn.kernel @eight(%q: !t, %k: !t, %v: !t) -> (o: !t) {
  %o = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h floordiv 8, j, c] v = %v[b, h floordiv 8, j, e]
    outputs o[b, h, i, e] : (!t, !t, !t) -> !t
  attn.return %o : !t
}

// Pages by a table; a region divides the index that shares keys.
// CHECK-LABEL: attn.kernel @pages(
// CHECK: attn.schedule = [{{{.*}}block_rows = 4 : i64, chunks = 16 : i64, few = 1 : i64, name = "split_few", {{[^}]*}}tile_rows = 4 : i64, together}, {{{.*}}name = "few", {{[^}]*}}together}, {{{.*}}name = "split_group"
// Which keys are absent is known before the sweep, of a page by one question.
// CODE: llvm.func internal @attn_pages_v0_pack(
// CODE: scf.for {{.*}} step %c16_i64{{[_0-9]*}} : i64 {
// CODE: llvm.func internal @attn_pages_v0_main(
!pool = tensor<?x16x?x64xf32>
attn.kernel @pages(%q: !t, %table: tensor<?x?xi32>, %pool: !pool) -> (o: !t) {
  %o = attn.attend dims(b, h | i | j | c = 64, e = 64)
    q = %q[b, h, i, c]
    k = %table[b, j floordiv 16] as (%page : i32, h = %h, j = %j, c = %c) {
      %size = arith.constant 16 : index  %n = arith.remui %j, %size : index  %p = arith.index_cast %page : i32 to index
      %four = arith.constant 4 : index  %g = arith.divui %h, %four : index
      %x = attn.load %pool[%p, %n, %g, %c] : !pool  attn.yield %x : f32 }
    v = %table[b, j floordiv 16] as (%page : i32, h = %h, j = %j, e = %c) {
      %size = arith.constant 16 : index  %n = arith.remui %j, %size : index  %p = arith.index_cast %page : i32 to index
      %four = arith.constant 4 : index  %g = arith.divui %h, %four : index
      %x = attn.load %pool[%p, %n, %g, %c] : !pool  attn.yield %x : f32 }
    outputs o[b, h, i, e] : (!t, tensor<?x?xi32>, tensor<?x?xi32>) -> !t
  attn.return %o : !t
}

// Many heads, of a number that the text does not say; features that leave a vector half empty.
// CHECK-LABEL: attn.kernel @shared(
// CHECK-NOT: few
// CHECK: attn.return
attn.kernel @shared(%q: !t, %k: tensor<?x?x64xf32>, %v: tensor<?x?x64xf32>) -> (o: !t) {
  %o = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, j, c] v = %v[b, j, e]
    outputs o[b, h, i, e] : (!t, tensor<?x?x64xf32>, tensor<?x?x64xf32>) -> !t
  attn.return %o : !t
}
// CHECK-LABEL: attn.kernel @odd(
// CHECK-NOT: few
// CHECK: attn.return
!o = tensor<?x?x?x63xf32>
attn.kernel @odd(%q: !o, %k: !o, %v: !o) -> (o: !o) {
  %o = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    outputs o[b, h, i, e] : (!o, !o, !o) -> !o
  attn.return %o : !o
}
