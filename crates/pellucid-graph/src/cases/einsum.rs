//! Cases of Einsum: each way in which an axis can go.

use super::OpCase;

pub(super) const CASES: &[OpCase] = &[
    OpCase::new(
        "Einsum of batches of matrices",
        "g (float[N,2,3] a, float[N,3,4] b) => (float[N,2,4] y) { y = Einsum<equation = \"bij,bjk->bik\">(a, b) }",
    ),
    OpCase::new(
        "Einsum by weights of heads",
        "g (float[N,3,4] a, float[4,2,3] w) => (float[N,3,2,3] y)
         { y = Einsum<equation = \"bsd,dhk->bshk\">(a, w) }",
    ),
    OpCase::new(
        "Einsum of queries and keys",
        "g (float[N,2,2,3] q, float[N,4,2,3] k) => (float[N,2,2,4] y)
         { y = Einsum<equation = \"bqhd,bkhd->bhqk\">(q, k) }",
    ),
    OpCase::new(
        "Einsum of weights and values",
        "g (float[N,2,2,4] a, float[N,4,2,3] v) => (float[N,2,2,3] y)
         { y = Einsum<equation = \"bhqk,bkhd->bqhd\">(a, v) }",
    ),
    OpCase::new(
        "Einsum with rows of two axes",
        "g (float[N,2,3,4] a, float[N,4,2] b) => (float[N,2,3,2] y)
         { y = Einsum<equation = \"bxyc, bcd -> bxyd\">(a, b) }",
    ),
    OpCase::new(
        "Einsum over several axes",
        "g (float[N,2,3,2] a, float[2,3,2,2] w) => (float[N,2] y)
         { y = Einsum<equation = \"bhwc,hwck->bk\">(a, w) }",
    ),
    OpCase::new(
        "Einsum of three",
        "g (float[N,3] a, float[3,4] w, float[N,4] c) => (float[N] y)
         { y = Einsum<equation = \"bi,ij,bj->b\">(a, w, c) }",
    ),
    OpCase::new(
        "Einsum that exchanges axes",
        "g (float[N,2,3] a) => (float[N,3,2] y) { y = Einsum<equation = \"bij->bji\">(a) }",
    ),
    OpCase::new(
        "Einsum that sums",
        "g (float[N,2,3] a) => (float[N] y) { y = Einsum<equation = \"bij->b\">(a) }",
    ),
    OpCase::new(
        "Einsum with axes that one input sums",
        "g (float[N,2,3] a, float[N,4] b) => (float[N,2] y) { y = Einsum<equation = \"bij,bk->bi\">(a, b) }",
    ),
    OpCase::new(
        "Einsum of diagonals",
        "g (float[N,3,3] a) => (float[N,3] y) { y = Einsum<equation = \"bii->bi\">(a) }",
    ),
    OpCase::new("Einsum as trace", "g (float[3,3] a) => (float y) { y = Einsum<equation = \"ii\">(a) }"),
    OpCase::new(
        "Einsum as outer product",
        "g (float[N,2] a, float[N,3] b) => (float[N,2,3] y) { y = Einsum<equation = \"bi,bj->bij\">(a, b) }",
    ),
    OpCase::new(
        "Einsum element by element",
        "g (float[N,3] a, float[N,3] b) => (float[N,3] y) { y = Einsum<equation = \"bi,bi->bi\">(a, b) }",
    ),
    OpCase::new(
        "Einsum as dot product",
        "g (float[3] a, float[3] b) => (float y) { y = Einsum<equation = \"i,i->\">(a, b) }",
    ),
    OpCase::new(
        "Einsum without arrow",
        "g (float[2,3] a, float[3,4] b) => (float[4,2] y) { y = Einsum<equation = \"zj,ja\">(a, b) }",
    ),
    OpCase::new(
        "Einsum with an ellipsis",
        "g (float[N,2,2,3] a, float[N,2,3,2] b) => (float[N,2,2,2] y)
         { y = Einsum<equation = \"...ij,...jk->...ik\">(a, b) }",
    ),
];
