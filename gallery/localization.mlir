// Localization: for every key the sum of P (1 - P) over the queries, where a softmax passes gradients on (after Bao et al., 2024). No values.
!t = tensor<?x?x?x64xf32>
attn.kernel @localization(%q: !t, %k: !t) -> (signal: tensor<?x?x?xf32>) {
  %signal = attn.attend dims(b, h | i | j | c)
    q = %q[b, h, i, c] k = %k[b, h, j, c]
    columns signal = sum(%w, %s) {
      %one = arith.constant 1.0 : f32  %r = arith.subf %one, %w : f32
      %x = arith.mulf %w, %r : f32  attn.yield %x : f32
    }
    outputs signal[b, h, j]
    : (!t, !t) -> tensor<?x?x?xf32>
  attn.return %signal : tensor<?x?x?xf32>
}
