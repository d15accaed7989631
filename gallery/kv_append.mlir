// Appending to an int8 cache: the codes and the scale of new tokens, scale = max |x| / 127, code = round(x / scale); the caller passes views of the cache's next rows as the results.
// attn-run: --size t=16
// attn-bench: --size b=8 --size h=8 --size t=1024
!t = tensor<?x?x?x64xf32>
!s = tensor<?x?x?xf32>
attn.kernel @kv_append(%x: !t) -> (codes: tensor<?x?x?x64xi8>, scale: !s) {
  %scale = attn.map dims(b, h, t, c) max(c) (%v = %x[b, h, t, c]) {
    %a = math.absf %v : f32  %most = arith.constant 127.0 : f32  %y = arith.divf %a, %most : f32  attn.yield %y : f32 } -> [b, h, t] : (!t) -> !s
  %codes = attn.map dims(b, h, t, c) (%v = %x[b, h, t, c], %s = %scale[b, h, t]) {
    %zero = arith.constant 0.0 : f32  %some = arith.cmpf one, %s, %zero : f32
    %q = arith.divf %v, %s : f32  %r = math.roundeven %q : f32  %k = arith.select %some, %r, %zero : f32
    %code = arith.fptosi %k : f32 to i8  attn.yield %code : i8
  } -> [b, h, t, c] : (!t, !s) -> tensor<?x?x?x64xi8>
  attn.return %codes, %scale : tensor<?x?x?x64xi8>, !s
}
