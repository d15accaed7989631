// Keys and values in 4 bits, two in a byte, code * scale + least for every token and group of 32 channels (asymmetric as in KIVI, Liu et al., 2024); decoding over what the cache holds.
// attn-run: --size i=1 --size j=4096
// attn-bench: --size b=8 --size h=8 --size i=1 --size j=8192
!t = tensor<?x?x?x64xf32>
!k = tensor<?x?x?x32xi8>
attn.kernel @kv_int4(%q: !t, %k: !k, %v: !k, %ks: tensor<?x?x?x2xf32>, %kz: tensor<?x?x?x2xf32>, %vs: tensor<?x?x?x2xf32>, %vz: tensor<?x?x?x2xf32>, %length: tensor<?xi32>) -> (o: !t, lse: tensor<?x?x?xf32>) {
  %o, %lse = attn.attend dims(b, h | i | j | c = 64, e = 64)
    q = %q[b, h, i, c]
    k = %k[b, h, j, c floordiv 2] as (%x : i8, b = %b, h = %h, j = %j, c = %c) {
      %two = arith.constant 2 : index  %odd = arith.remui %c, %two : index  %n = arith.index_cast %odd : index to i32  %four = arith.constant 4 : i32  %by = arith.muli %n, %four : i32
      %w = arith.extui %x : i8 to i32  %d = arith.shrui %w, %by : i32  %low = arith.constant 15 : i32  %code = arith.andi %d, %low : i32  %f = arith.sitofp %code : i32 to f32
      %size = arith.constant 32 : index  %g = arith.divui %c, %size : index  %s = attn.load %ks[%b, %h, %j, %g] : tensor<?x?x?x2xf32>  %z = attn.load %kz[%b, %h, %j, %g] : tensor<?x?x?x2xf32>
      %m = arith.mulf %f, %s : f32  %y = arith.addf %m, %z : f32  attn.yield %y : f32 }
    v = %v[b, h, j, e floordiv 2] as (%x : i8, b = %b, h = %h, j = %j, e = %c) {
      %two = arith.constant 2 : index  %odd = arith.remui %c, %two : index  %n = arith.index_cast %odd : index to i32  %four = arith.constant 4 : i32  %by = arith.muli %n, %four : i32
      %w = arith.extui %x : i8 to i32  %d = arith.shrui %w, %by : i32  %low = arith.constant 15 : i32  %code = arith.andi %d, %low : i32  %f = arith.sitofp %code : i32 to f32
      %size = arith.constant 32 : index  %g = arith.divui %c, %size : index  %s = attn.load %vs[%b, %h, %j, %g] : tensor<?x?x?x2xf32>  %z = attn.load %vz[%b, %h, %j, %g] : tensor<?x?x?x2xf32>
      %m = arith.mulf %f, %s : f32  %y = arith.addf %m, %z : f32  attn.yield %y : f32 }
    set = lengths<k = %length>
    outputs o[b, h, i, e], lse[b, h, i] : (!t, !k, !k) -> (!t, tensor<?x?x?xf32>)
  attn.return %o, %lse : !t, tensor<?x?x?xf32>
}
