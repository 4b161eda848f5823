//! Cases of pools.

use super::OpCase;

const fn case(name: &'static str, graph: &'static str) -> OpCase {
    OpCase::new(name, graph)
}

pub(super) const CASES: &[OpCase] = &[
    case(
        "MaxPool 2-D side by side",
        "g (float[N,2,4,6] x) => (float[N,2,2,3] y) {
            y = MaxPool<kernel_shape = [2, 2], strides = [2, 2]>(x)
        }",
    ),
    case(
        "MaxPool 2-D overlapping",
        "g (float[N,2,6,5] x) => (float[N,2,3,3] y) {
            y = MaxPool<kernel_shape = [3, 3], pads = [1, 1, 1, 1], strides = [2, 2]>(x)
        }",
    ),
    case(
        "MaxPool 2-D overlapping after a Relu",
        "g (float[N,2,6,5] x) => (float[N,2,3,3] y) {
            h = Relu(x)
            y = MaxPool<kernel_shape = [3, 3], pads = [1, 1, 1, 1], strides = [2, 2]>(h)
        }",
    ),
    case(
        "MaxPool 2-D stride 1",
        "g (float[N,1,4,5] x) => (float[N,1,4,4] y) {
            y = MaxPool<kernel_shape = [3, 2], pads = [1, 0, 1, 0], strides = [1, 1]>(x)
        }",
    ),
    case(
        "MaxPool 2-D asymmetric pads, gaps between windows",
        "g (float[1,2,6,8] x) => (float[1,2,3,3] y) {
            y = MaxPool<kernel_shape = [2, 2], pads = [1, 0, 0, 1], strides = [2, 3]>(x)
        }",
    ),
    case(
        "MaxPool 2-D windows beyond the end",
        "g (float[N,1,6,5] x) => (float[N,1,3,2] y) {
            y = MaxPool<ceil_mode = 1, kernel_shape = [3, 3], strides = [2, 3]>(x)
        }",
    ),
    case(
        "MaxPool 2-D no window may start in the padding at the end",
        "g (float[1,1,9,5] x) => (float[1,1,4,3] y) {
            y = MaxPool<ceil_mode = 1, kernel_shape = [2, 2], pads = [1, 1, 1, 1], strides = [3, 2]>(x)
        }",
    ),
    case(
        "MaxPool 2-D dilated",
        "g (float[1,1,7,8] x) => (float[1,1,2,3] y) {
            y = MaxPool<dilations = [2, 3], kernel_shape = [3, 2], pads = [0, 1, 1, 0], strides = [2, 2]>(x)
        }",
    ),
    case(
        "MaxPool 2-D same upper",
        "g (float[1,1,5,6] x) => (float[1,1,3,3] y) {
            y = MaxPool<auto_pad = \"SAME_UPPER\", kernel_shape = [2, 3], strides = [2, 2]>(x)
        }",
    ),
    case(
        "MaxPool 2-D same lower",
        "g (float[1,1,5,6] x) => (float[1,1,3,3] y) {
            y = MaxPool<auto_pad = \"SAME_LOWER\", kernel_shape = [2, 3], strides = [2, 2]>(x)
        }",
    ),
    case(
        "MaxPool 2-D pointwise with a stride",
        "g (float[N,2,5,4] x) => (float[N,2,3,2] y) {
            y = MaxPool<kernel_shape = [1, 1], strides = [2, 2]>(x)
        }",
    ),
    case(
        "MaxPool 1-D",
        "g (float[N,2,9] x) => (float[N,2,4] y) { y = MaxPool<kernel_shape = [3], strides = [2]>(x) }",
    ),
    case(
        "MaxPool 3-D",
        "g (float[N,1,4,5,3] x) => (float[N,1,2,3,3] y) {
            y = MaxPool<kernel_shape = [2, 3, 2], pads = [0, 1, 1, 0, 1, 0], strides = [2, 2, 1]>(x)
        }",
    ),
    case(
        "MaxPool ties",
        "g (float[1,1,3,4] x) => (float[1,1,2,2] y) {
            y = MaxPool<kernel_shape = [2, 3], strides = [1, 1]>(x)
        }",
    )
    .forward_only()
    .fix(&[("x", &[0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0])]),
    case(
        "AveragePool 2-D",
        "g (float[N,2,5,4] x) => (float[N,2,2,2] y) {
            y = AveragePool<kernel_shape = [3, 2], strides = [2, 2]>(x)
        }",
    ),
    case(
        "AveragePool 2-D side by side",
        "g (float[N,2,4,6] x) => (float[N,2,2,2] y) {
            y = AveragePool<kernel_shape = [2, 3], strides = [2, 3]>(x)
        }",
    ),
    case(
        "AveragePool 2-D stride 1, padding not counted",
        "g (float[N,2,4,5] x) => (float[N,2,4,5] y) {
            y = AveragePool<kernel_shape = [3, 3], pads = [1, 1, 1, 1], strides = [1, 1]>(x)
        }",
    ),
    case(
        "AveragePool 2-D stride 1, padding counted",
        "g (float[N,2,4,5] x) => (float[N,2,4,5] y) {
            y = AveragePool<count_include_pad = 1, kernel_shape = [3, 3], pads = [1, 1, 1, 1], strides = [1, 1]>(x)
        }",
    ),
    case(
        "AveragePool 2-D stride 1, asymmetric pads",
        "g (float[N,1,4,5] x) => (float[N,1,4,4] y) {
            y = AveragePool<kernel_shape = [3, 2], pads = [2, 0, 0, 0], strides = [1, 1]>(x)
        }",
    ),
    case(
        "AveragePool 2-D overlapping, windows beyond the end",
        "g (float[N,1,6,5] x) => (float[N,1,3,2] y) {
            y = AveragePool<ceil_mode = 1, kernel_shape = [3, 3], strides = [2, 3]>(x)
        }",
    ),
    case(
        "AveragePool 2-D padding counted, windows beyond the padding",
        "g (float[N,1,6,5] x) => (float[N,1,4,3] y) {
            y = AveragePool<ceil_mode = 1, count_include_pad = 1, kernel_shape = [3, 3], pads = [1, 1, 1, 1], strides = [2, 2]>(x)
        }",
    ),
    case(
        "AveragePool 2-D gaps between windows",
        "g (float[1,2,6,8] x) => (float[1,2,2,3] y) {
            y = AveragePool<kernel_shape = [2, 2], pads = [0, 0, 1, 0], strides = [4, 3]>(x)
        }",
    ),
    case(
        "AveragePool 2-D same lower",
        "g (float[1,1,5,6] x) => (float[1,1,3,3] y) {
            y = AveragePool<auto_pad = \"SAME_LOWER\", kernel_shape = [2, 3], strides = [2, 2]>(x)
        }",
    ),
    case(
        "AveragePool 1-D",
        "g (float[N,2,9] x) => (float[N,2,4] y) { y = AveragePool<kernel_shape = [3], strides = [2]>(x) }",
    ),
    case(
        "AveragePool 3-D",
        "g (float[N,1,4,5,3] x) => (float[N,1,2,2,3] y) {
            y = AveragePool<kernel_shape = [2, 3, 2], pads = [0, 0, 1, 0, 0, 0], strides = [2, 2, 1]>(x)
        }",
    ),
    case(
        "LpPool 2-D p 1",
        "g (float[N,2,5,4] x) => (float[N,2,2,3] y) {
            y = LpPool<kernel_shape = [3, 2], p = 1, strides = [2, 1]>(x)
        }",
    ),
    case(
        "LpPool 2-D p 2",
        "g (float[N,2,5,4] x) => (float[N,2,3,2] y) {
            y = LpPool<kernel_shape = [3, 2], pads = [1, 0, 1, 0], strides = [2, 2]>(x)
        }",
    ),
    case(
        "LpPool 2-D p 3, dilated, windows beyond the end",
        "g (float[N,1,6,6] x) => (float[N,1,3,4] y) {
            y = LpPool<ceil_mode = 1, dilations = [2, 1], kernel_shape = [2, 3], p = 3, strides = [2, 1]>(x)
        }",
    ),
    case(
        "LpPool 1-D same upper",
        "g (float[N,1,7] x) => (float[N,1,4] y) {
            y = LpPool<auto_pad = \"SAME_UPPER\", kernel_shape = [3], p = 2, strides = [2]>(x)
        }",
    ),
    case(
        "LpPool a window of zeros",
        "g (float[1,1,4] x) => (float[1,1,2] y) { y = LpPool<kernel_shape = [2], p = 2, strides = [2]>(x) }",
    )
    .forward_only()
    .fix(&[("x", &[0.0, 0.0, 3.0, -4.0])]),
    case("GlobalMaxPool 2-D", "g (float[N,3,4,3] x) => (float[N,3,1,1] y) { y = GlobalMaxPool(x) }"),
    case("GlobalMaxPool 1-D", "g (float[N,3,4] x) => (float[N,3,1] y) { y = GlobalMaxPool(x) }"),
    case("GlobalAveragePool 2-D", "g (float[N,3,4,3] x) => (float[N,3,1,1] y) { y = GlobalAveragePool(x) }"),
    case(
        "GlobalAveragePool 3-D",
        "g (float[N,2,2,3,2] x) => (float[N,2,1,1,1] y) { y = GlobalAveragePool(x) }",
    ),
    case("GlobalLpPool p 2", "g (float[N,3,4,3] x) => (float[N,3,1,1] y) { y = GlobalLpPool(x) }"),
    case("GlobalLpPool p 1", "g (float[N,3,4] x) => (float[N,3,1] y) { y = GlobalLpPool<p = 1>(x) }"),
    case("GlobalLpPool p 3", "g (float[N,3,4] x) => (float[N,3,1] y) { y = GlobalLpPool<p = 3>(x) }"),
];
