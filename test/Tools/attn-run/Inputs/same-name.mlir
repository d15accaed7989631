attn.kernel @same(%x: tensor<?x?xf32>) -> (y: tensor<?xf32>, z: tensor<?xf32>) {
  %y = attn.map dims(x, e) sum(e) (%u = %x[x, e]) { attn.yield %u : f32 } -> [x] : (tensor<?x?xf32>) -> tensor<?xf32>
  %z = attn.map dims(x) (%u = %y[x]) { %a = math.absf %u : f32  attn.yield %a : f32 } -> [x] : (tensor<?xf32>) -> tensor<?xf32>
  attn.return %y, %z : tensor<?xf32>, tensor<?xf32>
}
