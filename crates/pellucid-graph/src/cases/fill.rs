//! Cases of ops that make tensors from little.

use super::OpCase;

pub(super) const CASES: &[OpCase] = &[
    OpCase::new(
        "Constant",
        "g (float[N,2] a) => (float[N,2] y) { c = Constant<value = float[2] {0.5, -1}>() y = Mul(a, c) }",
    ),
    OpCase::new(
        "Constant of floats",
        "g (float[N,2] a) => (float[N,2] y) { c = Constant<value_floats = [0.5, -1.5]>() y = Mul(a, c) }",
    ),
    OpCase::new(
        "Constant of ints",
        "g (float[N,3] a) => (float[N,2] y) { i = Constant<value_ints = [2, 0]>() y = Gather<axis = 1>(a, i) }",
    ),
    OpCase::new(
        "Constant of one int",
        "g (float[N,3] a) => (float[N] y) { i = Constant<value_int = 1>() y = Gather<axis = 1>(a, i) }",
    ),
    OpCase::new(
        "ConstantOfShape",
        "g (float[N,2] a) => (float[N,2] y)
         { s = Shape(a) c = ConstantOfShape<value = float[1] {2.5}>(s) y = Add(a, c) }",
    ),
    OpCase::new(
        "Range",
        "g (float[N,3] a) => (float[N,3] y)
         <int64 zero = {0}, int64 one = {1}, int64 second = {1}>
         { s = Shape(a) n = Gather(s, second) r = Range(zero, n, one) y = Gather<axis = 1>(a, r) }",
    ),
    OpCase::new(
        "Range of floats",
        "g (float[4] a) => (float[4] y) <float from = {2}, float to = {0}, float by = {-0.5}>
         { r = Range(from, to, by) y = Mul(a, r) }",
    ),
    OpCase::new(
        "OneHot",
        "g (int64[2,2] i) => (float[2,2,3] y)
         <int64 depth = {3}, float[2] values = {0.5, 2}> { y = OneHot(i, depth, values) }",
    )
    .fix(&[("i", &[0.0, 2.0, -1.0, 5.0])])
    .forward_only(),
    OpCase::new(
        "OneHot in front",
        "g (int64[2] i) => (float[3,2] y)
         <int64 depth = {3}, float[2] values = {0, 1}> { y = OneHot<axis = 0>(i, depth, values) }",
    )
    .fix(&[("i", &[1.0, 2.0])])
    .forward_only(),
    OpCase::new("EyeLike", "g (float[3,4] a) => (float[3,4] y) { e = EyeLike<k = 1>(a) y = Add(a, e) }"),
    OpCase::new("NonZero", "g (float[2,3] a) => (int64[2,?] y) { y = NonZero(a) }")
        .fix(&[("a", &[0.0, 1.0, 0.0, 2.0, 0.0, -1.0])])
        .forward_only(),
];
