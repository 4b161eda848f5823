//! Cases of arithmetic, comparisons and conversions.

use super::OpCase;

macro_rules! unary {
    ($name:literal) => {
        OpCase::new($name, concat!("g (float[N,3] a) => (float[N,3] y) { y = ", $name, "(a) }"))
    };
}

macro_rules! binary {
    ($name:literal, $op:literal) => {
        OpCase::new($name, concat!("g (float[2,3] a, float[3] b) => (float[2,3] y) { y = ", $op, "(a, b) }"))
    };
}

macro_rules! compare {
    ($name:literal) => {
        OpCase::new($name, concat!("g (float[2,3] a, float[3] b) => (bool[2,3] y) { y = ", $name, "(a, b) }"))
            .fix(&[("a", &[-1.0, 0.0, 1.5, 2.0, 0.0, -3.0]), ("b", &[0.0, 0.0, 1.5])])
            .forward_only()
    };
}

macro_rules! logic {
    ($name:literal) => {
        OpCase::new($name, concat!("g (bool[2,2] a, bool[2] b) => (bool[2,2] y) { y = ", $name, "(a, b) }"))
            .fix(&[("a", &[0.0, 0.0, 1.0, 1.0]), ("b", &[0.0, 1.0])])
            .forward_only()
    };
}

pub(super) const CASES: &[OpCase] = &[
    binary!("Add broadcast", "Add"),
    OpCase::new("Sub both ways", "g (float[2,1] a, float[1,3] b) => (float[2,3] y) { y = Sub(a, b) }"),
    OpCase::new("Mul by itself", "g (float[N,3] a) => (float[N,3] y) { y = Mul(a, a) }"),
    OpCase::new("Mul of a scalar", "g (float[N,3] a, float b) => (float[N,3] y) { y = Mul(a, b) }"),
    binary!("Div broadcast", "Div").range(0.5, 2.0),
    OpCase::new("Div of integers", "g (int64[4] a, int64[4] b) => (int64[4] y) { y = Div(a, b) }")
        .fix(&[("a", &[7.0, -7.0, 7.0, 0.0]), ("b", &[2.0, 2.0, 7.0, 3.0])])
        .forward_only(),
    binary!("Pow of both", "Pow").range(0.5, 2.0),
    OpCase::new("Pow 2", "g (float[N,3] a) => (float[N,3] y) <float e = {2}> { y = Pow(a, e) }"),
    OpCase::new("Pow 3", "g (float[N,3] a) => (float[N,3] y) <float e = {3}> { y = Pow(a, e) }"),
    OpCase::new("Pow root", "g (float[N,3] a) => (float[N,3] y) <float e = {0.5}> { y = Pow(a, e) }")
        .range(0.5, 2.0),
    OpCase::new(
        "Pow reciprocal root",
        "g (float[N,3] a) => (float[N,3] y) <float e = {-0.5}> { y = Pow(a, e) }",
    )
    .range(0.5, 2.0),
    OpCase::new("Pow of an integer", "g (float[N,3] a) => (float[N,3] y) <int64 e = {3}> { y = Pow(a, e) }"),
    OpCase::new(
        "Pow by exponents",
        "g (float[N,3] a) => (float[N,3] y) <float[3] e = {0, 1, 2}> { y = Pow(a, e) }",
    ),
    OpCase::new("Max of two", "g (float[2,3] a, float[3] b) => (float[2,3] y) { y = Max(a, b) }"),
    OpCase::new(
        "Max of three",
        "g (float[2,3] a, float[3] b, float c) => (float[2,3] y) { y = Max(a, b, c) }",
    ),
    OpCase::new("Max of one", "g (float[2,3] a) => (float[2,3] y) { y = Max(a) }"),
    OpCase::new("Min of two", "g (float[2,3] a, float[3] b) => (float[2,3] y) { y = Min(a, b) }"),
    OpCase::new(
        "Min of three",
        "g (float[2,3] a, float[3] b, float c) => (float[2,3] y) { y = Min(a, b, c) }",
    ),
    OpCase::new(
        "Sum of three",
        "g (float[2,3] a, float[3] b, float c) => (float[2,3] y) { y = Sum(a, b, c) }",
    ),
    OpCase::new(
        "Mean of three",
        "g (float[2,3] a, float[3] b, float c) => (float[2,3] y) { y = Mean(a, b, c) }",
    ),
    unary!("Neg"),
    unary!("Abs"),
    unary!("Sign"),
    unary!("Floor"),
    unary!("Ceil"),
    OpCase::new("Round", "g (float[6] a) => (float[6] y) { y = Round(a) }")
        .fix(&[("a", &[0.5, 1.5, -0.5, -2.5, 1.2, -1.7])])
        .forward_only(),
    unary!("Reciprocal").range(0.5, 2.0),
    unary!("Sqrt").range(0.5, 2.0),
    unary!("Exp"),
    unary!("Log").range(0.5, 2.0),
    unary!("Sin"),
    unary!("Cos"),
    unary!("Tan").range(-1.0, 1.0),
    unary!("Asin").range(-0.9, 0.9),
    unary!("Acos").range(-0.9, 0.9),
    unary!("Atan"),
    unary!("Sinh"),
    unary!("Cosh"),
    unary!("Asinh"),
    unary!("Acosh").range(1.2, 3.0),
    unary!("Atanh").range(-0.9, 0.9),
    unary!("Identity"),
    OpCase::new(
        "Mod with the sign of the dividend",
        "g (float[5] a, float[5] b) => (float[5] y) { y = Mod<fmod = 1>(a, b) }",
    )
    .fix(&[("a", &[5.3, -5.3, 5.3, -5.3, 0.7]), ("b", &[3.0, 3.0, -3.0, -3.0, 2.0])]),
    OpCase::new("Mod of integers", "g (int64[5] a, int64[5] b) => (int64[5] y) { y = Mod(a, b) }")
        .fix(&[("a", &[5.0, -5.0, 5.0, -5.0, 6.0]), ("b", &[3.0, 3.0, -3.0, -3.0, 3.0])])
        .forward_only(),
    OpCase::new(
        "Clip",
        "g (float[N,5] a) => (float[N,5] y) <float l = {-1}, float h = {0.5}> { y = Clip(a, l, h) }",
    ),
    OpCase::new("Clip below", "g (float[N,5] a) => (float[N,5] y) <float l = {-1}> { y = Clip(a, l) }"),
    OpCase::new(
        "Clip above",
        "g (float[N,5] a) => (float[N,5] y) <float h = {0.5}> { y = Clip(a, \"\", h) }",
    ),
    OpCase::new("Clip of nothing", "g (float[N,5] a) => (float[N,5] y) { y = Clip(a) }"),
    OpCase::new(
        "Clip by computed bounds",
        "g (float[N,5] a, float l, float h) => (float[N,5] y) { y = Clip(a, l, h) }",
    )
    .fix(&[("l", &[-0.7]), ("h", &[0.6])]),
    OpCase::new(
        "Where",
        "g (bool[2,1] c, float[2,3] a, float[3] b) => (float[2,3] y) { y = Where(c, a, b) }",
    )
    .fix(&[("c", &[1.0, 0.0])]),
    OpCase::new(
        "Where by a comparison",
        "g (float[2,3] a, float[2,3] b) => (float[2,3] y) { c = Less(a, b)  d = Mul(a, b)  y = Where(c, d, b) }",
    ),
    OpCase::new(
        "Cast to half and back",
        "g (float[N,3] a) => (float[N,3] y) { h = Cast<to = 10>(a)  y = Cast<to = 1>(h) }",
    )
    .fix(&[("a", &[0.5, -0.25, 2.0, 1.0, -3.0, 0.125])])
    .forward_only(),
    OpCase::new(
        "Cast to double and back",
        "g (float[N,3] a) => (float[N,3] y) { d = Cast<to = 11>(a)  y = Cast<to = 1>(d) }",
    ),
    OpCase::new("Cast to integers", "g (float[5] a) => (int64[5] y) { y = Cast<to = 7>(a) }")
        .fix(&[("a", &[1.7, -1.7, 0.0, 3.0, -0.2])])
        .forward_only(),
    OpCase::new("Cast of integers", "g (int64[3] a) => (float[3] y) { y = Cast<to = 1>(a) }")
        .fix(&[("a", &[1.0, -7.0, 0.0])])
        .forward_only(),
    OpCase::new("Cast to booleans", "g (float[4] a) => (bool[4] y) { y = Cast<to = 9>(a) }")
        .fix(&[("a", &[1.0, -7.0, 0.0, 0.3])])
        .forward_only(),
    OpCase::new(
        "Cast of booleans",
        "g (float[4] a) => (float[4] y) { b = Cast<to = 9>(a)  y = Cast<to = 1>(b) }",
    )
    .fix(&[("a", &[1.0, -7.0, 0.0, 0.3])])
    .forward_only(),
    OpCase::new("CastLike", "g (float[N,3] a, float[1] b) => (float[N,3] y) { y = CastLike(a, b) }"),
    OpCase::new("Dropout", "g (float[N,3] a) => (float[N,3] y) { y = Dropout(a) }"),
    OpCase::new(
        "Dropout with its ratio",
        "g (float[N,3] a) => (float[N,3] y) <float r = {0.3}> { y = Dropout(a, r) }",
    ),
    compare!("Equal"),
    compare!("Greater"),
    compare!("GreaterOrEqual"),
    compare!("Less"),
    compare!("LessOrEqual"),
    OpCase::new("Equal of integers", "g (int64[3] a, int64[3] b) => (bool[3] y) { y = Equal(a, b) }")
        .fix(&[("a", &[1.0, 2.0, 3.0]), ("b", &[1.0, 0.0, 3.0])])
        .forward_only(),
    logic!("And"),
    logic!("Or"),
    logic!("Xor"),
    OpCase::new("Not", "g (bool[2] a) => (bool[2] y) { y = Not(a) }")
        .fix(&[("a", &[0.0, 1.0])])
        .forward_only(),
    OpCase::new("IsNaN", "g (float[3] a) => (bool[3] y) { y = IsNaN(a) }")
        .fix(&[("a", &[0.0, f64::NAN, f64::INFINITY])])
        .forward_only(),
    OpCase::new("IsInf", "g (float[3] a) => (bool[3] y) { y = IsInf(a) }")
        .fix(&[("a", &[0.0, f64::NEG_INFINITY, f64::INFINITY])])
        .forward_only(),
    OpCase::new("IsInf above", "g (float[3] a) => (bool[3] y) { y = IsInf<detect_negative = 0>(a) }")
        .fix(&[("a", &[0.0, f64::NEG_INFINITY, f64::INFINITY])])
        .forward_only(),
];
