// RUN: %attn-opt %s --attn-pipeline-schedule=split-keys=7 | FileCheck %s

// A number of chunks that is given holds for heads that stand together, too.

!t = tensor<?x?x?x64xf32>
// CHECK-LABEL: attn.kernel @grouped(
// CHECK: attn.schedule = [{{{.*}}block_rows = 132 : i64, chunks = 7 : i64, name = "split_group", {{[^}]*}}together}, {{{.*}}chunks = 7 : i64, name = "split", {{[^}]*}}}]
attn.kernel @grouped(%q: !t, %k: !t, %v: !t) -> (o: !t) {
  %o = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h floordiv 4, j, c] v = %v[b, h floordiv 4, j, e]
    outputs o[b, h, i, e] : (!t, !t, !t) -> !t
  attn.return %o : !t
}
