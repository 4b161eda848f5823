//! Cases of ops that put together, cut apart and repeat.

use super::OpCase;

pub(super) const CASES: &[OpCase] = &[
    OpCase::new(
        "Concat",
        "g (float[N,2,3] a, float[N,1,3] b, float[N,3,3] c) => (float[N,6,3] y) { y = Concat<axis = 1>(a, b, c) }",
    ),
    OpCase::new(
        "Concat of one twice",
        "g (float[2,3] a, float[2,2] b) => (float[2,8] y) { y = Concat<axis = -1>(a, b, a) }",
    ),
    OpCase::new(
        "Concat along the batch",
        "g (float[N,3] a, float[N,3] b) => (float[2*N,3] y) { y = Concat<axis = 0>(a, b) }",
    ),
    OpCase::new(
        "Concat of a class token",
        "g (float[N,4,3] a, float[1,1,3] token) => (float[N,5,3] y)
         <int64[1] zero = {0}, int64[1] one = {1}, int64[2] rest = {1, 3}>
         { s = Shape(a) n = Slice(s, zero, one) t = Concat<axis = 0>(n, rest)
           tokens = Expand(token, t) y = Concat<axis = 1>(tokens, a) }",
    ),
    OpCase::new(
        "Split",
        "g (float[N,6] a) => (float[N,1] x, float[N,3] y, float[N,2] z)
         <int64[3] parts = {1, 3, 2}> { x, y, z = Split<axis = 1>(a, parts) }",
    ),
    OpCase::new(
        "Split in equal parts",
        "g (float[N,6,2] a) => (float[N,2,2] x, float[N,2,2] z)
         { x, y, z = Split<axis = -2, num_outputs = 3>(a) }",
    ),
    OpCase::new(
        "Split with a rest",
        "g (float[7,2] a) => (float[3,2] x, float[3,2] y, float[1,2] z) { x, y, z = Split<num_outputs = 3>(a) }",
    ),
    OpCase::new(
        "Split and a product of two parts",
        "g (float[N,8] a) => (float[N,2] y)
         { p, q, r, s = Split<axis = 1, num_outputs = 4>(a) y = Mul(p, r) }",
    ),
    OpCase::new(
        "Expand",
        "g (float[3,1] a) => (float[2,3,4] y) <int64[3] s = {2, 1, 4}> { y = Expand(a, s) }",
    ),
    OpCase::new(
        "Expand to fewer axes",
        "g (float[2,1,3] a) => (float[2,4,3] y) <int64[2] s = {4, 1}> { y = Expand(a, s) }",
    ),
    OpCase::new("Tile", "g (float[2,3] a) => (float[4,9] y) <int64[2] r = {2, 3}> { y = Tile(a, r) }"),
    OpCase::new(
        "Tile beside the batch",
        "g (float[N,3] a) => (float[N,6] y) <int64[2] r = {1, 2}> { y = Tile(a, r) }",
    ),
    OpCase::new(
        "Tile of the batch",
        "g (float[N,3] a) => (float[2*N,3] y) <int64[2] r = {2, 1}> { y = Tile(a, r) }",
    ),
    OpCase::new(
        "Tile of length 1",
        "g (float[1,3] a) => (float[4,3] y) <int64[2] r = {4, 1}> { y = Tile(a, r) }",
    ),
    OpCase::new(
        "Pad",
        "g (float[N,3,2] a) => (float[N,6,3] y) <int64[6] p = {0, 1, 0, 0, 2, 1}> { y = Pad(a, p) }",
    ),
    OpCase::new(
        "Pad with a value",
        "g (float[2,3] a) => (float[4,3] y) <int64[4] p = {1, 0, 1, 0}, float v = {1.5}> { y = Pad(a, p, v) }",
    ),
    OpCase::new(
        "Pad less than nothing",
        "g (float[N,5] a) => (float[N,5] y) <int64[4] p = {0, -2, 0, 2}> { y = Pad(a, p) }",
    ),
    OpCase::new(
        "Pad some axes",
        "g (float[N,3,2] a) => (float[N,4,2] y)
         <int64[2] p = {1, 0}, int64[1] axes = {-2}> { y = Pad(a, p, \"\", axes) }",
    ),
    OpCase::new(
        "Pad reflect",
        "g (float[N,1,3,4] a) => (float[N,1,6,7] y)
         <int64[8] p = {0, 0, 2, 1, 0, 0, 1, 2}> { y = Pad<mode = \"reflect\">(a, p) }",
    ),
    OpCase::new(
        "Pad edge",
        "g (float[N,1,3,2] a) => (float[N,1,6,7] y)
         <int64[8] p = {0, 0, 2, 1, 0, 0, 1, 4}> { y = Pad<mode = \"edge\">(a, p) }",
    ),
    OpCase::new(
        "Pad edge of channels",
        "g (float[N,3,2,1] a) => (float[N,5,2,1] y)
         <int64[8] p = {0, 2, 0, 0, 0, 0, 0, 0}> { y = Pad<mode = \"edge\">(a, p) }",
    ),
];
