// A list of keys for every block of 128 queries: what shared_keys.mlir says of batch entries, of one sequence.
// attn-run: --size n=1024 --size list.3=256
!t = tensor<?x?x?x64xf32>
attn.kernel @block_keys(%q: !t, %k: !t, %v: !t, %list: tensor<?x?x?x?xi32>) -> (o: !t, lse: tensor<?x?x?xf32>) {
  %o, %lse = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = tokens<%list[b, h, i floordiv 128]>
    outputs o[b, h, i, e], lse[b, h, i]
    : (!t, !t, !t) -> (!t, tensor<?x?x?xf32>)
  attn.return %o, %lse : !t, tensor<?x?x?xf32>
}
