// RUN: %attn-opt %s --verify-diagnostics --attn-link-normalizers --attn-schedule --attn-to-tile

// expected-error@below {{[kernel_s1] this kernel is not one attend whose results it returns, all and in order; kernels of other steps are split first, by --attn-expand-merge and --attn-split-kernel}}
attn.kernel @two(%x: tensor<?x64xf32>) -> (o: tensor<?x64xf32>, p: tensor<?x64xf32>) {
  %o = attn.attend dims(| i | j | c, e)
    q = %x[i, c] k = %x[j, c] v = %x[j, e]
    outputs o[i, e]
    : (tensor<?x64xf32>, tensor<?x64xf32>, tensor<?x64xf32>) -> tensor<?x64xf32>
  %p = attn.attend dims(| i | j | c, e)
    q = %o[i, c] k = %x[j, c] v = %x[j, e]
    outputs o[i, e]
    : (tensor<?x64xf32>, tensor<?x64xf32>, tensor<?x64xf32>) -> tensor<?x64xf32>
  attn.return %o, %p : tensor<?x64xf32>, tensor<?x64xf32>
}
