// Paged decode: keys and values lie in pages of 16 tokens, and a table says which pages are a sequence's; -1 is no page; four query heads share a key head (Kwon et al., PagedAttention, 2023).
// attn-run: --size i=1 --size h=8 --size j=1024 --size kpool.0=80 --size vpool.0=80 --size kpool.2=2 --size vpool.2=2
// attn-bench: --size b=8 --size h=32 --size i=1 --size j=8192 --size kpool.0=4096 --size vpool.0=4096 --size kpool.2=8 --size vpool.2=8
!t = tensor<?x?x?x64xf32>
!p = tensor<?x16x?x64xf32>
attn.kernel @paged_decode(%q: !t, %table: tensor<?x?xi32>, %kpool: !p, %vpool: !p, %length: tensor<?xi32>) -> (o: !t, lse: tensor<?x?x?xf32>) {
  %o, %lse = attn.attend dims(b, h | i | j | c = 64, e = 64)
    q = %q[b, h, i, c]
    k = %table[b, j floordiv 16] as (%page : i32, h = %h, j = %j, c = %c) {
      %size = arith.constant 16 : index  %n = arith.remui %j, %size : index  %p = arith.index_cast %page : i32 to index  %group = arith.constant 4 : index  %g = arith.divui %h, %group : index
      %y = attn.load %kpool[%p, %n, %g, %c] : !p  attn.yield %y : f32 }
    v = %table[b, j floordiv 16] as (%page : i32, h = %h, j = %j, e = %c) {
      %size = arith.constant 16 : index  %n = arith.remui %j, %size : index  %p = arith.index_cast %page : i32 to index  %group = arith.constant 4 : index  %g = arith.divui %h, %group : index
      %y = attn.load %vpool[%p, %n, %g, %c] : !p  attn.yield %y : f32 }
    set = lengths<k = %length>
    outputs o[b, h, i, e], lse[b, h, i] : (!t, tensor<?x?xi32>, tensor<?x?xi32>) -> (!t, tensor<?x?x?xf32>)
  attn.return %o, %lse : !t, tensor<?x?x?xf32>
}
