//! Cases of quantization. Its gradient is a convention (`gradient/quantize.rs`), not what differences give.

use super::OpCase;

/// Beside ties and beyond both ends of 8 bits.
const BEYOND: &[(&str, &[f64])] = &[("a", &[0.3, -0.8, 100.0, -100.0, 1.0, 0.75])];

pub(super) const CASES: &[OpCase] = &[
    OpCase::new(
        "QuantizeLinear",
        "g (float[2,3] a) => (uint8[2,3] y) <float s = {0.5}, uint8 z = {100}> { y = QuantizeLinear(a, s, z) }",
    )
    .fix(BEYOND)
    .forward_only(),
    OpCase::new(
        "QuantizeLinear without zero point",
        "g (float[2,3] a) => (uint8[2,3] y) <float s = {0.25}> { y = QuantizeLinear(a, s) }",
    )
    .fix(BEYOND)
    .forward_only(),
    OpCase::new(
        "QuantizeLinear of columns",
        "g (float[2,3] a) => (int8[2,3] y) <float[3] s = {0.5, 0.25, 1}, int8[3] z = {1, 0, -3}>
         { y = QuantizeLinear(a, s, z) }",
    )
    .fix(BEYOND)
    .forward_only(),
    OpCase::new(
        "DequantizeLinear",
        "g (int8[2,3] a) => (float[2,3] y) <float[2] s = {0.5, 0.25}, int8[2] z = {1, -3}>
         { y = DequantizeLinear<axis = 0>(a, s, z) }",
    )
    .fix(&[("a", &[-128.0, 127.0, 0.0, 1.0, -1.0, 5.0])])
    .forward_only(),
    OpCase::new(
        "DequantizeLinear behind QuantizeLinear",
        "g (float[2,3] a) => (float[2,3] y) <float s = {0.5}, int8 z = {3}>
         { q = QuantizeLinear(a, s, z) y = DequantizeLinear(q, s, z) }",
    )
    .fix(BEYOND)
    .forward_only(),
];
