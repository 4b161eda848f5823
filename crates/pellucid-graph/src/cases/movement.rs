//! Cases of ops that move elements.

use super::OpCase;

pub(super) const CASES: &[OpCase] = &[OpCase::new(
    "Reshape rest",
    "g (float[N,3,2] a) => (float[N,6] y) <int64[2] s = {0, -1}> { y = Reshape(a, s) }",
)];
