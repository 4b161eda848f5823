//! Cases of normalizations.

use super::OpCase;

/// Variances are positive.
const MOMENTS: &[(&str, &[f64])] = &[("v", &[0.5, 1.0, 2.0])];

pub(super) const CASES: &[OpCase] = &[
    OpCase::new(
        "BatchNormalization",
        "g (float[2,3,2,2] x, float[3] s, float[3] b, float[3] m, float[3] v) => (float[2,3,2,2] y)
        { y = BatchNormalization(x, s, b, m, v) }",
    )
    .fix(MOMENTS),
    OpCase::new(
        "BatchNormalization of features",
        "g (float[N,3] x, float[3] s, float[3] b, float[3] m, float[3] v) => (float[N,3] y)
        { y = BatchNormalization<epsilon = 0.01>(x, s, b, m, v) }",
    )
    .fix(MOMENTS),
    OpCase::new(
        "InstanceNormalization",
        "g (float[N,3,2,4] x, float[3] s, float[3] b) => (float[N,3,2,4] y)
        { y = InstanceNormalization(x, s, b) }",
    ),
    OpCase::new(
        "InstanceNormalization of sequences",
        "g (float[N,3,5] x, float[3] s, float[3] b) => (float[N,3,5] y)
        { y = InstanceNormalization<epsilon = 0.1>(x, s, b) }",
    ),
    OpCase::new(
        "GroupNormalization",
        "g (float[N,4,2,3] x, float[4] s, float[4] b) => (float[N,4,2,3] y)
        { y = GroupNormalization<num_groups = 2>(x, s, b) }",
    ),
    OpCase::new(
        "GroupNormalization of features",
        "g (float[N,6] x, float[6] s, float[6] b) => (float[N,6] y)
        { y = GroupNormalization<num_groups = 2, epsilon = 0.1>(x, s, b) }",
    ),
    OpCase::new(
        "LayerNormalization",
        "g (float[N,3,4] x, float[4] s, float[4] b) => (float[N,3,4] y) { y = LayerNormalization(x, s, b) }",
    ),
    OpCase::new(
        "LayerNormalization over two axes",
        "g (float[N,3,4] x, float[3,4] s, float[3,4] b) => (float[N,3,4] y)
        { y = LayerNormalization<axis = 1, epsilon = 0.1>(x, s, b) }",
    ),
    OpCase::new(
        "LayerNormalization without shift",
        "g (float[N,4] x, float[4] s) => (float[N,4] y) { y = LayerNormalization(x, s) }",
    ),
    OpCase::new(
        "LayerNormalization with its moments",
        "g (float[N,4] x, float[4] s, float[4] b) => (float[N,4] z)
        { y, m, r = LayerNormalization(x, s, b)  z = Mul(y, y) }",
    ),
    OpCase::new(
        "RMSNormalization",
        "g (float[N,3,4] x, float[4] s) => (float[N,3,4] y) { y = RMSNormalization(x, s) }",
    ),
    OpCase::new("LRN", "g (float[N,5,2,2] x) => (float[N,5,2,2] y) { y = LRN<size = 3, alpha = 0.5>(x) }"),
];
