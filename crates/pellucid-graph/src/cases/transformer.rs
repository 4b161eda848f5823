//! Cases of the ops that transformers are fused into, ONNX's own and those of `com.microsoft`.

use super::OpCase;

/// One row with all its tokens, one whose last token is padding.
const PADDED: &[(&str, &[f64])] = &[("m", &[1.0, 1.0, 1.0, 1.0, 1.0, 0.0])];

/// Two rows of three tokens each, without padding.
const WHOLE: &[(&str, &[f64])] = &[("l", &[2.0, 2.0]), ("t", &[3.0])];

pub(super) const CASES: &[OpCase] = &[
    OpCase::new(
        "SimplifiedLayerNormalization",
        "g (float[N,3,4] x, float[4] s) => (float[N,3,4] y) { y = SimplifiedLayerNormalization<epsilon = 0.1>(x, s) }",
    ),
    OpCase::new(
        "MeanVarianceNormalization",
        "g (float[2,3,2,2] x) => (float[2,3,2,2] y) { y = MeanVarianceNormalization(x) }",
    ),
    OpCase::new(
        "LpNormalization",
        "g (float[N,3,4] x) => (float[N,3,4] y) { y = LpNormalization<axis = -1>(x) }",
    ),
    OpCase::new(
        "LpNormalization by absolute values",
        "g (float[N,3,4] x) => (float[N,3,4] y) { y = LpNormalization<axis = 1, p = 1>(x) }",
    ),
    OpCase::new(
        "com.microsoft.SkipLayerNormalization",
        "g (float[N,3,4] x, float[N,3,4] k, float[4] s, float[4] b, float[4] c) => (float[N,3,4] y, float[N,3,4] z)
         { y, \"\", \"\", z = com.microsoft.SkipLayerNormalization<epsilon = 0.1>(x, k, s, b, c) }",
    ),
    OpCase::new(
        "com.microsoft.SkipLayerNormalization without biases",
        "g (float[N,3,4] x, float[N,3,4] k, float[4] s) => (float[N,3,4] y)
         { y = com.microsoft.SkipLayerNormalization<epsilon = 0.1>(x, k, s) }",
    ),
    OpCase::new(
        "com.microsoft.SkipSimplifiedLayerNormalization",
        "g (float[N,3,4] x, float[N,3,4] k, float[4] s, float[4] c) => (float[N,3,4] y, float[N,3,4] z)
         { y, \"\", \"\", z = com.microsoft.SkipSimplifiedLayerNormalization<epsilon = 0.1>(x, k, s, c) }",
    ),
    OpCase::new(
        "com.microsoft.BiasGelu",
        "g (float[N,3,4] x, float[4] b) => (float[N,3,4] y) { y = com.microsoft.BiasGelu(x, b) }",
    ),
    OpCase::new(
        "com.microsoft.FastGelu",
        "g (float[N,3,4] x) => (float[N,3,4] y) { y = com.microsoft.FastGelu(x) }",
    ),
    OpCase::new(
        "com.microsoft.FastGelu with a bias",
        "g (float[N,3,4] x, float[4] b) => (float[N,3,4] y) { y = com.microsoft.FastGelu(x, b) }",
    ),
    OpCase::new("com.microsoft.Gelu", "g (float[N,3,4] x) => (float[N,3,4] y) { y = com.microsoft.Gelu(x) }"),
    OpCase::new(
        "com.microsoft.QuickGelu",
        "g (float[N,3,4] x) => (float[N,3,4] y) { y = com.microsoft.QuickGelu(x) }",
    ),
    OpCase::new(
        "com.microsoft.QuickGelu alpha",
        "g (float[N,3,4] x) => (float[N,3,4] y) { y = com.microsoft.QuickGelu<alpha = 0.5>(x) }",
    ),
    OpCase::new(
        "com.microsoft.FusedMatMul",
        "g (float[N,2,3] a, float[N,4,3] b) => (float[N,2,4] y)
         { y = com.microsoft.FusedMatMul<alpha = 0.5, transB = 1>(a, b) }",
    ),
    OpCase::new(
        "com.microsoft.FusedMatMul of exchanged axes",
        "g (float[N,3,2] a, float[N,3,4] b) => (float[N,2,4] y)
         { y = com.microsoft.FusedMatMul<transA = 1>(a, b) }",
    ),
    OpCase::new(
        "RotaryEmbedding",
        "g (float[N,2,3,4] x, float[N,3,2] c, float[N,3,2] s) => (float[N,2,3,4] y)
         { y = RotaryEmbedding(x, c, s) }",
    ),
    OpCase::new(
        "RotaryEmbedding of flat heads by positions",
        "g (float[2,3,8] x, float[5,2] c, float[5,2] s, int64[2,3] p) => (float[2,3,8] y)
         { y = RotaryEmbedding<num_heads = 2>(x, c, s, p) }",
    )
    .fix(&[("p", &[0.0, 1.0, 2.0, 4.0, 3.0, 0.0])]),
    OpCase::new(
        "RotaryEmbedding interleaved",
        "g (float[N,2,3,4] x, float[N,3,2] c, float[N,3,2] s) => (float[N,2,3,4] y)
         { y = RotaryEmbedding<interleaved = 1>(x, c, s) }",
    ),
    OpCase::new(
        "RotaryEmbedding of a part",
        "g (float[2,2,3,6] x, float[5,2] c, float[5,2] s, int64[2,3] p) => (float[2,2,3,6] y)
         { y = RotaryEmbedding<rotary_embedding_dim = 4, num_heads = 2>(x, c, s, p) }",
    )
    .fix(&[("p", &[0.0, 1.0, 2.0, 4.0, 3.0, 0.0])]),
    OpCase::new(
        "com.microsoft.RotaryEmbedding",
        "g (float[2,3,8] x, int64[2,3] p, float[5,2] c, float[5,2] s) => (float[2,3,8] y)
         { y = com.microsoft.RotaryEmbedding(x, p, c, s) }",
    )
    .fix(&[("p", &[0.0, 1.0, 2.0, 4.0, 3.0, 0.0])]),
    OpCase::new(
        "com.microsoft.RotaryEmbedding from one position on",
        "g (float[2,3,8] x, int64[1] p, float[5,2] c, float[5,2] s) => (float[2,3,8] y)
         { y = com.microsoft.RotaryEmbedding<interleaved = 1>(x, p, c, s) }",
    )
    .fix(&[("p", &[2.0])]),
    OpCase::new(
        "Attention",
        "g (float[N,2,3,4] q, float[N,2,5,4] k, float[N,2,5,3] v) => (float[N,2,3,3] y) { y = Attention(q, k, v) }",
    ),
    OpCase::new(
        "Attention with a mask",
        "g (float[N,2,3,4] q, float[N,2,3,4] k, float[N,2,3,4] v, float[3,3] m) => (float[N,2,3,4] y)
         { y = Attention<scale = 0.3>(q, k, v, m) }",
    ),
    OpCase::new(
        "Attention with a mask of truth values",
        "g (float[N,2,2,4] q, float[N,2,3,4] k, float[N,2,3,4] v, bool[2,3] m) => (float[N,2,2,4] y)
         { y = Attention(q, k, v, m) }",
    )
    .fix(&[("m", &[1.0, 0.0, 1.0, 1.0, 1.0, 0.0])]),
    OpCase::new(
        "Attention of flat heads, causal",
        "g (float[N,3,8] q, float[N,3,8] k, float[N,3,8] v) => (float[N,3,8] y)
         { y = Attention<q_num_heads = 2, kv_num_heads = 2, is_causal = 1>(q, k, v) }",
    ),
    OpCase::new(
        "Attention with shared keys",
        "g (float[N,3,8] q, float[N,3,4] k, float[N,3,4] v) => (float[N,3,8] y)
         { y = Attention<q_num_heads = 4, kv_num_heads = 2>(q, k, v) }",
    ),
    OpCase::new(
        "Attention with bounded scores",
        "g (float[N,2,3,4] q, float[N,2,3,4] k, float[N,2,3,4] v) => (float[N,2,3,4] y)
         { y = Attention<softcap = 0.5>(q, k, v) }",
    ),
    OpCase::new(
        "Attention with past keys",
        "g (float[N,2,1,4] q, float[N,2,1,4] k, float[N,2,1,4] v, float[N,2,3,4] pk, float[N,2,3,4] pv)
         => (float[N,2,1,4] y, float[N,2,4,4] keys)
         { y, keys, values = Attention(q, k, v, \"\", pk, pv) }",
    ),
    OpCase::new(
        "com.microsoft.MultiHeadAttention",
        "g (float[N,3,8] q, float[N,3,8] k, float[N,3,8] v) => (float[N,3,8] y)
         { y = com.microsoft.MultiHeadAttention<num_heads = 2>(q, k, v) }",
    ),
    OpCase::new(
        "com.microsoft.MultiHeadAttention with biases",
        "g (float[2,2,8] q, float[2,3,8] k, float[2,3,4] v, float[20] b, int32[2,3] m, float[1,2,2,3] a)
         => (float[2,2,4] y)
         { y = com.microsoft.MultiHeadAttention<num_heads = 2, scale = 0.4>(q, k, v, b, m, a) }",
    )
    .fix(PADDED),
    OpCase::new(
        "com.microsoft.MultiHeadAttention, causal",
        "g (float[N,3,8] q, float[N,3,8] k, float[N,3,8] v) => (float[N,3,8] y)
         { y = com.microsoft.MultiHeadAttention<num_heads = 2, unidirectional = 1>(q, k, v) }",
    ),
    OpCase::new(
        "com.microsoft.Attention",
        "g (float[2,3,4] x, float[4,12] w, float[12] b, int32[2,3] m) => (float[2,3,4] y)
         { y = com.microsoft.Attention<num_heads = 2>(x, w, b, m) }",
    )
    .fix(PADDED),
    OpCase::new(
        "com.microsoft.GroupQueryAttention",
        "g (float[2,3,16] q, float[2,3,8] k, float[2,3,8] v, int32[2] l, int32[1] t)
         => (float[2,3,16] y, float[2,1,3,8] keys)
         { y, keys, values = com.microsoft.GroupQueryAttention<num_heads = 2, kv_num_heads = 1>
           (q, k, v, \"\", \"\", l, t) }",
    )
    .fix(WHOLE),
    OpCase::new(
        "com.microsoft.GroupQueryAttention of packed heads, turned",
        "g (float[2,3,64] x, int32[2] l, int32[1] t, float[5,8] c, float[5,8] s)
         => (float[2,3,32] y, float[2,1,3,16] keys)
         { y, keys, values = com.microsoft.GroupQueryAttention<num_heads = 2, kv_num_heads = 1, do_rotary = 1>
           (x, \"\", \"\", \"\", \"\", l, t, c, s) }",
    )
    .fix(WHOLE),
    OpCase::new(
        "com.microsoft.GroupQueryAttention with pairs side by side, a scale and an empty past",
        "g (float[2,3,32] q, float[2,3,32] k, float[2,3,32] v, float[2,2,0,16] p, int32[2] l, int32[1] t,
            float[5,8] c, float[5,8] s) => (float[2,3,32] y)
         { y, keys, values = com.microsoft.GroupQueryAttention<num_heads = 2, kv_num_heads = 2, do_rotary = 1,
           rotary_interleaved = 1, scale = 0.2>(q, k, v, p, p, l, t, c, s) }",
    )
    .fix(WHOLE),
    OpCase::new(
        "com.microsoft.GroupQueryAttention turned from a given position on",
        "g (float[1,3,32] q, float[1,3,16] k, float[1,3,16] v, int32[1] l, int32[1] t, float[5,8] c, float[5,8] s,
            int64[1,3] p) => (float[1,3,32] y)
         { y, keys, values = com.microsoft.GroupQueryAttention<num_heads = 2, kv_num_heads = 1, do_rotary = 1>
           (q, k, v, \"\", \"\", l, t, c, s, p) }",
    )
    .fix(&[("l", &[2.0]), ("t", &[3.0]), ("p", &[1.0, 3.0, 4.0])]),
    OpCase::new(
        "com.microsoft.GroupQueryAttention with bounded scores and a bias",
        "g (float[2,3,16] q, float[2,3,8] k, float[2,3,8] v, int32[2] l, int32[1] t, float[1,2,3,3] a)
         => (float[2,3,16] y)
         { y, keys, values = com.microsoft.GroupQueryAttention<num_heads = 2, kv_num_heads = 1, softcap = 0.5>
           (q, k, v, \"\", \"\", l, t, \"\", \"\", \"\", a) }",
    )
    .fix(WHOLE),
];
