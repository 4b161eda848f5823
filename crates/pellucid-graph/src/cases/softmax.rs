//! Cases of softmax and its relatives.

use super::OpCase;

pub(super) const CASES: &[OpCase] = &[
    OpCase::new("Softmax", "g (float[N,4] a) => (float[N,4] y) { y = Softmax(a) }"),
    OpCase::new(
        "Softmax in the middle",
        "g (float[N,3,2] a) => (float[N,3,2] y) { y = Softmax<axis = 1>(a) }",
    ),
    OpCase::new("Softmax far", "g (float[2,3] a) => (float[2,3] y) { y = Softmax(a) }")
        .fix(&[("a", &[1000.0, 999.0, -1000.0, -1000.0, -1001.0, -1002.0])]),
    OpCase::new("LogSoftmax", "g (float[N,4] a) => (float[N,4] y) { y = LogSoftmax(a) }"),
    OpCase::new(
        "LogSoftmax in the middle",
        "g (float[N,3,2] a) => (float[N,3,2] y) { y = LogSoftmax<axis = -2>(a) }",
    ),
    OpCase::new("LogSoftmax far", "g (float[2,3] a) => (float[2,3] y) { y = LogSoftmax(a) }")
        .fix(&[("a", &[1000.0, 999.0, -1000.0, -1000.0, -1001.0, -1002.0])]),
    OpCase::new("Hardmax", "g (float[2,3] a) => (float[2,3] y) { y = Hardmax(a) }")
        .fix(&[("a", &[1.0, 2.0, 2.0, 0.5, 0.0, -1.0])])
        .forward_only(),
];
