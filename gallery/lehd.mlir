// A shrinking set of open nodes, eight heads of 16 features: the nodes that are left are attended among themselves where they lie, by a list of them; -1 stands for none (Luo et al., LEHD, 2023).
// attn-run: --size i=60 --size j=60 --size q.2=102 --size k.2=102 --size v.2=102 --size h=8
// attn-bench: --size b=16 --size h=8 --size i=600 --size j=600 --size q.2=1002 --size k.2=1002 --size v.2=1002
!t = tensor<?x?x?x16xf32>
!n = tensor<?x?xi32>
attn.kernel @lehd(%q: !t, %k: !t, %v: !t, %open: !n) -> (o: !t, lse: tensor<?x?x?xf32>) {
  %o, %lse = attn.attend dims(b, h | i | j | c = 16, e = 16)
    q = %open[b, i] as (%n : i32, b = %b, h = %h, c = %c) { %m = arith.index_cast %n : i32 to index  %y = attn.load %q[%b, %h, %m, %c] : !t  attn.yield %y : f32 }
    k = %open[b, j] as (%n : i32, b = %b, h = %h, c = %c) { %m = arith.index_cast %n : i32 to index  %y = attn.load %k[%b, %h, %m, %c] : !t  attn.yield %y : f32 }
    v = %open[b, j] as (%n : i32, b = %b, h = %h, e = %c) { %m = arith.index_cast %n : i32 to index  %y = attn.load %v[%b, %h, %m, %c] : !t  attn.yield %y : f32 }
    outputs o[b, h, i, e], lse[b, h, i] : (!n, !n, !n) -> (!t, tensor<?x?x?xf32>)
  attn.return %o, %lse : !t, tensor<?x?x?xf32>
}
