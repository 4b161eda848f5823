//! Cases of arithmetic and activations.

use super::OpCase;

pub(super) const CASES: &[OpCase] = &[
    OpCase::new("Add broadcast", "g (float[2,3] a, float[3] b) => (float[2,3] y) { y = Add(a, b) }"),
    OpCase::new("Sub both ways", "g (float[2,1] a, float[1,3] b) => (float[2,3] y) { y = Sub(a, b) }"),
    OpCase::new("Mul by itself", "g (float[N,3] a) => (float[N,3] y) { y = Mul(a, a) }"),
    OpCase::new("Relu", "g (float[2,3] a) => (float[2,3] y) { y = Relu(a) }"),
];
