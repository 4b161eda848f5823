//! Cases of reductions.

use super::OpCase;

pub(super) const CASES: &[OpCase] = &[OpCase::new(
    "ReduceSum last",
    "g (float[2,3,2] a) => (float[2,3,1] y) <int64[1] s = {-1}> { y = ReduceSum(a, s) }",
)
.forward_only()];
