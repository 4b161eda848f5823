//! Cases of ops that give the same elements another shape or order.

use super::OpCase;

pub(super) const CASES: &[OpCase] = &[
    OpCase::new(
        "Reshape rest",
        "g (float[N,3,2] a) => (float[N,6] y) <int64[2] s = {0, -1}> { y = Reshape(a, s) }",
    ),
    OpCase::new(
        "Reshape flat",
        "g (float[N,3,2] a) => (float[6*N] y) <int64[1] s = {-1}> { y = Reshape(a, s) }",
    ),
    OpCase::new(
        "Reshape to a computed shape",
        "g (float[N,7,7,4] a) => (float[N,49,4] y)
         <int64[1] zero = {0}, int64[1] one = {1}, int64[2] rest = {49, 4}>
         { s = Shape(a) n = Slice(s, zero, one) t = Concat<axis = 0>(n, rest) y = Reshape(a, t) }",
    ),
    OpCase::new("Flatten", "g (float[N,3,2] a) => (float[N,6] y) { y = Flatten(a) }"),
    OpCase::new("Flatten all", "g (float[N,3,2] a) => (float[1,6*N] y) { y = Flatten<axis = 0>(a) }"),
    OpCase::new(
        "Flatten from the end",
        "g (float[2,N,3] a) => (float[2*N,3] y) { y = Flatten<axis = -1>(a) }",
    ),
    OpCase::new(
        "Squeeze",
        "g (float[N,1,3,1] a) => (float[N,3] y) <int64[2] s = {1, -1}> { y = Squeeze(a, s) }",
    ),
    OpCase::new("Squeeze all", "g (float[2,1,3,1] a) => (float[2,3] y) { y = Squeeze(a) }"),
    OpCase::new(
        "Unsqueeze",
        "g (float[N,3] a) => (float[N,1,3,1] y) <int64[2] s = {-1, 1}> { y = Unsqueeze(a, s) }",
    ),
    OpCase::new("Transpose", "g (float[N,3,4] a) => (float[3,4,N] y) { y = Transpose<perm = [1, 2, 0]>(a) }"),
    OpCase::new("Transpose reversed", "g (float[2,3,4] a) => (float[4,3,2] y) { y = Transpose(a) }"),
    OpCase::new(
        "DepthToSpace",
        "g (float[N,8,2,3] a) => (float[N,2,4,6] y) { y = DepthToSpace<blocksize = 2>(a) }",
    ),
    OpCase::new(
        "DepthToSpace columns first",
        "g (float[N,8,2,3] a) => (float[N,2,4,6] y) { y = DepthToSpace<blocksize = 2, mode = \"CRD\">(a) }",
    ),
    OpCase::new(
        "SpaceToDepth",
        "g (float[N,2,4,6] a) => (float[N,8,2,3] y) { y = SpaceToDepth<blocksize = 2>(a) }",
    ),
    OpCase::new("Shape", "g (float[N,3,4] a) => (int64[3] y) { y = Shape(a) }").forward_only(),
    OpCase::new(
        "Shape of a few axes",
        "g (float[N,3,4] a) => (int64[2] y) { y = Shape<start = -2, end = 3>(a) }",
    )
    .forward_only(),
    OpCase::new("Size", "g (float[N,3,4] a) => (int64 y) { y = Size(a) }").forward_only(),
];
