//! Cases of ops that pick elements by index or order.

use super::OpCase;

pub(super) const CASES: &[OpCase] = &[
    OpCase::new(
        "Slice",
        "g (float[N,5,4] a) => (float[N,3,2] y)
         <int64[2] s = {1, -3}, int64[2] e = {4, -1}, int64[2] axes = {1, 2}> { y = Slice(a, s, e, axes) }",
    ),
    OpCase::new(
        "Slice to the end",
        "g (float[N,5] a) => (float[N,3] y)
         <int64[1] s = {2}, int64[1] e = {9223372036854775807}, int64[1] axes = {1}> { y = Slice(a, s, e, axes) }",
    ),
    OpCase::new(
        "Slice with steps",
        "g (float[N,7,6] a) => (float[N,3,3] y)
         <int64[2] s = {1, 0}, int64[2] e = {7, 2147483647}, int64[2] axes = {1, 2}, int64[2] t = {2, 2}>
         { y = Slice(a, s, e, axes, t) }",
    ),
    OpCase::new(
        "Slice backwards",
        "g (float[N,5] a) => (float[N,5] y)
         <int64[1] s = {-1}, int64[1] e = {-9223372036854775807}, int64[1] axes = {1}, int64[1] t = {-1}>
         { y = Slice(a, s, e, axes, t) }",
    ),
    OpCase::new(
        "Slice backwards with steps",
        "g (float[2,6] a) => (float[2,2] y)
         <int64[1] s = {4}, int64[1] e = {0}, int64[1] axes = {-1}, int64[1] t = {-2}>
         { y = Slice(a, s, e, axes, t) }",
    ),
    OpCase::new(
        "Slice of all axes",
        "g (float[3,4] a) => (float[2,2] y) <int64[2] s = {0, 1}, int64[2] e = {2, 3}> { y = Slice(a, s, e) }",
    ),
    OpCase::new(
        "Slice of the batch",
        "g (float[N,3] a) => (float[?,3] y)
         <int64[1] s = {1}, int64[1] e = {9223372036854775807}, int64[1] axes = {0}> { y = Slice(a, s, e, axes) }",
    ),
    OpCase::new(
        "Slice from before the batch",
        "g (float[N,3] a) => (float[?,3] y)
         <int64[1] s = {-5}, int64[1] e = {9}, int64[1] x = {0}> { y = Slice(a, s, e, x) }",
    ),
    OpCase::new(
        "Slice of the last in the batch",
        "g (float[N,3] a) => (float[?,3] y)
         <int64[1] s = {-1}, int64[1] e = {9223372036854775807}, int64[1] axes = {0}> { y = Slice(a, s, e, axes) }",
    ),
    OpCase::new(
        "Slice with nothing left",
        "g (float[N,3] a, float[N,3] b) => (float[N,3] y)
         <int64[1] s = {2}, int64[1] e = {2}, int64[1] axes = {1}>
         { none = Slice(a, s, e, axes) y = Concat<axis = 1>(none, b) }",
    ),
    OpCase::new(
        "Gather one",
        "g (float[N,4,3] a) => (float[N,3] y) <int64 i = {0}> { y = Gather<axis = 1>(a, i) }",
    ),
    OpCase::new(
        "Gather the last",
        "g (float[N,4,3] a) => (float[N,4] y) <int64 i = {-1}> { y = Gather<axis = 2>(a, i) }",
    ),
    OpCase::new(
        "Gather with repetitions",
        "g (float[N,4] a) => (float[N,5] y) <int64[5] i = {1, 1, 3, -1, 1}> { y = Gather<axis = 1>(a, i) }",
    ),
    OpCase::new(
        "Gather a permutation",
        "g (float[3,4] a) => (float[3,4] y) <int64[3] i = {2, 0, 1}> { y = Gather(a, i) }",
    ),
    OpCase::new(
        "Gather one often",
        "g (float[2,9] a) => (float[2,12] y)
         <int64[12] i = {3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3}> { y = Gather<axis = 1>(a, i) }",
    ),
    OpCase::new(
        "Gather a table of indices",
        "g (float[N,4,3] a) => (float[N,2,2,3] y) <int64[2,2] i = {0, 2, 2, 1}> { y = Gather<axis = 1>(a, i) }",
    ),
    OpCase::new(
        "Gather by a run's indices",
        "g (float[N,4] a, int64[3] i) => (float[N,3] y) { y = Gather<axis = 1>(a, i) }",
    )
    .fix(&[("i", &[1.0, 1.0, -1.0])]),
    OpCase::new(
        "GatherElements",
        "g (float[2,4] a) => (float[2,3] y) <int64[2,3] i = {0, 0, -1, 2, 1, 2}> { y = GatherElements<axis = 1>(a, i) }",
    ),
    OpCase::new(
        "GatherElements of a part",
        "g (float[3,4] a) => (float[2,2] y) <int64[2,2] i = {1, 1, 2, 0}> { y = GatherElements(a, i) }",
    ),
    OpCase::new(
        "GatherND",
        "g (float[2,3,2] a) => (float[3,2] y) <int64[3,2] i = {0, 1, 1, 2, 0, 1}> { y = GatherND(a, i) }",
    ),
    OpCase::new(
        "GatherND in batches",
        "g (float[2,3,2] a) => (float[2,2] y) <int64[2,1] i = {1, 0}> { y = GatherND<batch_dims = 1>(a, i) }",
    ),
    OpCase::new(
        "GatherND in batches by a run's indices",
        "g (float[N,2,3,2] a, int64[N,2,1,2] i) => (float[N,2,1] y) { y = GatherND<batch_dims = 2>(a, i) }",
    )
    .fix(&[("i", &[0.0, 1.0, 2.0, 0.0, 1.0, 1.0, 0.0, 0.0])]),
    OpCase::new(
        "ScatterElements",
        "g (float[2,4] a, float[2,2] u) => (float[2,4] y)
         <int64[2,2] i = {0, -1, 2, 1}> { y = ScatterElements<axis = 1>(a, i, u) }",
    ),
    OpCase::new(
        "ScatterElements added",
        "g (float[2,4] a, float[2,3] u) => (float[2,4] y)
         <int64[2,3] i = {0, 0, 3, 2, 1, 2}> { y = ScatterElements<axis = 1, reduction = \"add\">(a, i, u) }",
    ),
    OpCase::new(
        "ScatterND",
        "g (float[3,2] a, float[2,2] u) => (float[3,2] y) <int64[2,1] i = {2, 0}> { y = ScatterND(a, i, u) }",
    ),
    OpCase::new(
        "ScatterND added",
        "g (float[3,2] a, float[3] u) => (float[3,2] y)
         <int64[3,2] i = {2, 1, 0, 0, 2, 1}> { y = ScatterND<reduction = \"add\">(a, i, u) }",
    ),
    OpCase::new(
        "TopK",
        "g (float[2,5] a) => (float[2,2] v, int64[2,2] i) <int64[1] k = {2}> { v, i = TopK(a, k) }",
    ),
    OpCase::new(
        "TopK smallest",
        "g (float[3,4] a) => (float[2,4] v, int64[2,4] i)
         <int64[1] k = {2}> { v, i = TopK<axis = 0, largest = 0>(a, k) }",
    ),
    OpCase::new(
        "ArgMax of ties",
        "g (float[2,4] a) => (int64[2] first, int64[2] last)
         { first = ArgMax<axis = 1, keepdims = 0>(a)
           last = ArgMax<axis = 1, keepdims = 0, select_last_index = 1>(a) }",
    )
    .fix(&[("a", &[1.0, 3.0, 3.0, 2.0, 0.0, 0.0, 0.0, 0.0])])
    .forward_only(),
    OpCase::new("Trilu", "g (float[2,3,4] a) => (float[2,3,4] y) { y = Trilu(a) }"),
    OpCase::new(
        "Trilu below",
        "g (float[3,3] a) => (float[3,3] y) <int64 k = {-1}> { y = Trilu<upper = 0>(a, k) }",
    ),
];
