//! Cases of matrix products.

use super::OpCase;

pub(super) const CASES: &[OpCase] = &[
    OpCase::new("MatMul", "g (float[2,3] a, float[3,4] b) => (float[2,4] y) { y = MatMul(a, b) }"),
    OpCase::new(
        "MatMul broadcast batch",
        "g (float[2,1,2,3] a, float[4,3,2] b) => (float[2,4,2,2] y) { y = MatMul(a, b) }",
    ),
];
