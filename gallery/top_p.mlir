// Top-p: softmax over the fewest largest scores whose weights sum to p, ties included (Lin et al., Twilight, 2025).
// attn-run: --param p=0.9
!t = tensor<?x?x?x64xf32>
attn.kernel @top_p_attention(%q: !t, %k: !t, %v: !t, %p: f32) -> (o: !t) {
  %o = attn.attend dims(b, h | i | j | c, e)
    q = %q[b, h, i, c] k = %k[b, h, j, c] v = %v[b, h, j, e]
    set = causal<bottom_right> normalize = @top_p(%p)
    outputs o[b, h, i, e]
    : (!t, !t, !t) -> !t
  attn.return %o : !t
}
