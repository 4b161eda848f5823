//! Cases of pools.

use super::OpCase;

const fn case(name: &'static str, graph: &'static str) -> OpCase {
    OpCase::new(name, graph)
}

pub(super) const CASES: &[OpCase] = &[
    case(
        "AveragePool 2-D",
        "g (float[N,2,5,4] x) => (float[N,2,2,2] y) {
            y = AveragePool<kernel_shape = [3, 2], strides = [2, 2]>(x)
        }",
    )
    .forward_only(),
    case(
        "MaxPool 2-D overlapping",
        "g (float[N,2,6,5] x) => (float[N,2,3,3] y) {
            y = MaxPool<kernel_shape = [3, 3], pads = [1, 1, 1, 1], strides = [2, 2]>(x)
        }",
    )
    .forward_only(),
];
