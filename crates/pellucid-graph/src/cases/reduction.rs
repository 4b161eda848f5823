//! Cases of reductions.

use super::OpCase;

macro_rules! last {
    ($name:literal) => {
        OpCase::new(
            $name,
            concat!("g (float[N,3,4] a) => (float[N,3,1] y) <int64[1] s = {-1}> { y = ", $name, "(a, s) }"),
        )
    };
}

/// The first and the last axis, which are then gone.
macro_rules! dropped {
    ($name:literal, $op:literal) => {
        OpCase::new(
            $name,
            concat!(
                "g (float[2,3,4] a) => (float[3] y) <int64[2] s = {-1, 0}> { y = ",
                $op,
                "<keepdims = 0>(a, s) }"
            ),
        )
    };
}

macro_rules! all {
    ($name:literal, $op:literal) => {
        OpCase::new($name, concat!("g (float[2,3] a) => (float y) { y = ", $op, "<keepdims = 0>(a) }"))
    };
}

const ZEROS: &[(&str, &[f64])] = &[("a", &[2.0, 0.0, 3.0, 0.0, 5.0, 0.0, 1.0, 2.0, 0.5])];

pub(super) const CASES: &[OpCase] = &[
    last!("ReduceSum"),
    dropped!("ReduceSum of two axes", "ReduceSum"),
    all!("ReduceSum of all", "ReduceSum"),
    OpCase::new(
        "ReduceSum of nothing",
        "g (float[N,3] a) => (float[N,3] y) { y = ReduceSum<noop_with_empty_axes = 1>(a) }",
    ),
    OpCase::new(
        "ReduceSum of integers",
        "g (int64[2,3] a) => (int64[2] y) <int64[1] s = {1}> { y = ReduceSum<keepdims = 0>(a, s) }",
    )
    .fix(&[("a", &[1.0, 2.0, 3.0, -4.0, 5.0, 6.0])])
    .forward_only(),
    last!("ReduceMean"),
    dropped!("ReduceMean of two axes", "ReduceMean"),
    all!("ReduceMean of all", "ReduceMean"),
    OpCase::new(
        "ReduceMean over an open length",
        "g (float[2,T,3] a) => (float[2,3] y) <int64[1] s = {1}> { y = ReduceMean<keepdims = 0>(a, s) }",
    ),
    last!("ReduceMax"),
    dropped!("ReduceMax of two axes", "ReduceMax"),
    all!("ReduceMax of all", "ReduceMax"),
    last!("ReduceMin"),
    dropped!("ReduceMin of two axes", "ReduceMin"),
    last!("ReduceProd"),
    dropped!("ReduceProd of two axes", "ReduceProd"),
    OpCase::new(
        "ReduceProd of zeros",
        "g (float[3,3] a) => (float[3] y) <int64[1] s = {1}> { y = ReduceProd<keepdims = 0>(a, s) }",
    )
    .fix(ZEROS),
    last!("ReduceL1"),
    dropped!("ReduceL1 of two axes", "ReduceL1"),
    last!("ReduceL2"),
    dropped!("ReduceL2 of two axes", "ReduceL2"),
    last!("ReduceSumSquare"),
    dropped!("ReduceSumSquare of two axes", "ReduceSumSquare"),
    last!("ReduceLogSum").range(0.5, 2.0),
    dropped!("ReduceLogSum of two axes", "ReduceLogSum").range(0.5, 2.0),
    last!("ReduceLogSumExp"),
    dropped!("ReduceLogSumExp of two axes", "ReduceLogSumExp"),
    OpCase::new(
        "ReduceLogSumExp far",
        "g (float[2,3] a) => (float[2,1] y) <int64[1] s = {-1}> { y = ReduceLogSumExp(a, s) }",
    )
    .fix(&[("a", &[1000.0, 999.0, -1000.0, -1000.0, -1001.0, -1002.0])]),
    OpCase::new("ArgMax", "g (float[2,3] a) => (int64[2,1] y) { y = ArgMax<axis = -1>(a) }")
        .fix(&[("a", &[1.0, 2.0, 2.0, 0.5, 0.0, -1.0])])
        .forward_only(),
    OpCase::new(
        "ArgMin last",
        "g (float[2,3] a) => (int64[3] y) { y = ArgMin<axis = 0, keepdims = 0, select_last_index = 1>(a) }",
    )
    .fix(&[("a", &[1.0, 2.0, 2.0, 0.5, 2.0, -1.0])])
    .forward_only(),
    OpCase::new("CumSum", "g (float[N,3,2] a) => (float[N,3,2] y) <int64 s = {1}> { y = CumSum(a, s) }"),
    OpCase::new(
        "CumSum reverse exclusive",
        "g (float[N,3,2] a) => (float[N,3,2] y) <int64 s = {1}>
        { y = CumSum<reverse = 1, exclusive = 1>(a, s) }",
    ),
];
