//! Cases of matrix products.

use super::OpCase;

macro_rules! gemm {
    ($name:literal, $a:literal, $b:literal, $attributes:literal) => {
        OpCase::new(
            $name,
            concat!(
                "g (float",
                $a,
                " a, float",
                $b,
                " b, float[4] c) => (float[2,4] y) { y = Gemm<alpha = 0.5, beta = 2.0",
                $attributes,
                ">(a, b, c) }"
            ),
        )
    };
}

pub(super) const CASES: &[OpCase] = &[
    OpCase::new("MatMul", "g (float[2,3] a, float[3,4] b) => (float[2,4] y) { y = MatMul(a, b) }"),
    OpCase::new(
        "MatMul broadcast batch",
        "g (float[2,1,2,3] a, float[4,3,2] b) => (float[2,4,2,2] y) { y = MatMul(a, b) }",
    ),
    OpCase::new(
        "MatMul by weights",
        "g (float[N,5,3] a, float[3,4] b) => (float[N,5,4] y) { y = MatMul(a, b) }",
    ),
    OpCase::new(
        "MatMul of a matrix and a batch",
        "g (float[5,3] a, float[N,3,4] b) => (float[N,5,4] y) { y = MatMul(a, b) }",
    ),
    OpCase::new(
        "MatMul of attention",
        "g (float[N,4,2,3] q, float[N,4,2,3] k) => (float[N,2,4,4] y) {
            a = Transpose<perm = [0, 2, 1, 3]>(q)
            b = Transpose<perm = [0, 2, 3, 1]>(k)
            y = MatMul(a, b)
        }",
    ),
    OpCase::new("MatMul of a row", "g (float[3] a, float[3,4] b) => (float[4] y) { y = MatMul(a, b) }"),
    OpCase::new(
        "MatMul of a row and a batch",
        "g (float[3] a, float[2,3,4] b) => (float[2,4] y) { y = MatMul(a, b) }",
    ),
    OpCase::new("MatMul by a column", "g (float[N,3] a, float[3] b) => (float[N] y) { y = MatMul(a, b) }"),
    OpCase::new(
        "MatMul of a batch by a column",
        "g (float[2,4,3] a, float[3] b) => (float[2,4] y) { y = MatMul(a, b) }",
    ),
    OpCase::new(
        "MatMul of a row by a column",
        "g (float[3] a, float[3] b) => (float y) { y = MatMul(a, b) }",
    ),
    OpCase::new("Gemm", "g (float[N,3] a, float[3,4] b) => (float[N,4] y) { y = Gemm(a, b) }"),
    OpCase::new(
        "Gemm scalar bias",
        "g (float[N,3] a, float[3,4] b, float c) => (float[N,4] y) { y = Gemm(a, b, c) }",
    ),
    OpCase::new(
        "Gemm column bias",
        "g (float[2,3] a, float[3,4] b, float[2,1] c) => (float[2,4] y) { y = Gemm(a, b, c) }",
    ),
    gemm!("Gemm scaled", "[2,3]", "[3,4]", ""),
    gemm!("Gemm transA", "[3,2]", "[3,4]", ", transA = 1"),
    gemm!("Gemm transB", "[2,3]", "[4,3]", ", transB = 1"),
    gemm!("Gemm transA transB", "[3,2]", "[4,3]", ", transA = 1, transB = 1"),
    OpCase::new(
        "Gemm of half weights",
        "g (float[N,3] a) => (float[N,2] y) <float16[3,2] h = {1, 0.5, -1, 2, 0.25, -0.5}>
        { w = Cast<to = 1>(h)  y = Gemm(a, w) }",
    ),
];
