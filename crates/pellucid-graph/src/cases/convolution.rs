//! Cases of convolutions.

use super::OpCase;

const fn case(name: &'static str, graph: &'static str) -> OpCase {
    OpCase::new(name, graph)
}

pub(super) const CASES: &[OpCase] = &[
    case(
        "Conv 2-D bias",
        "g (float[N,3,5,4] x, float[2,3,3,2] w, float[2] b) => (float[N,2,3,3] y) {
            y = Conv<kernel_shape = [3, 2]>(x, w, b)
        }",
    ),
    case(
        "Conv 2-D pads",
        "g (float[N,2,4,5] x, float[3,2,3,3] w) => (float[N,3,4,5] y) {
            y = Conv<kernel_shape = [3, 3], pads = [1, 1, 1, 1]>(x, w)
        }",
    ),
    case(
        "Conv 2-D constant weights",
        "g (float[N,2,4,3] x) => (float[N,1,4,3] y)
        <float[1,2,3,2] w = {1, -2, 0.5, 3, -1, 0.25, 2, 1, -0.5, 0.75, -1.5, 4}, float[1] b = {0.5}> {
            y = Conv<kernel_shape = [3, 2], pads = [1, 0, 1, 1]>(x, w, b)
        }",
    ),
    case(
        "Conv 2-D asymmetric pads and strides",
        "g (float[N,2,6,7] x, float[2,2,3,2] w) => (float[N,2,3,3] y) {
            y = Conv<kernel_shape = [3, 2], pads = [0, 1, 2, 0], strides = [2, 3]>(x, w)
        }",
    ),
    case(
        "Conv 2-D stride leaves a remainder",
        "g (float[1,1,6,8] x, float[2,1,2,1] w) => (float[1,2,2,3] y) {
            y = Conv<kernel_shape = [2, 1], strides = [3, 3]>(x, w)
        }",
    ),
    case(
        "Conv 2-D dilated",
        "g (float[1,2,6,7] x, float[1,2,2,3] w) => (float[1,1,5,4] y) {
            y = Conv<kernel_shape = [2, 3], dilations = [3, 2], pads = [1, 0, 1, 1]>(x, w)
        }",
    ),
    case(
        "Conv 2-D dilated with a stride",
        "g (float[1,1,8,9] x, float[1,1,3,2] w) => (float[1,1,3,3] y) {
            y = Conv<kernel_shape = [3, 2], dilations = [2, 3], pads = [1, 1, 0, 0], strides = [2, 3]>(x, w)
        }",
    ),
    case(
        "Conv 2-D groups",
        "g (float[N,4,4,4] x, float[6,2,3,3] w, float[6] b) => (float[N,6,4,4] y) {
            y = Conv<group = 2, kernel_shape = [3, 3], pads = [1, 1, 1, 1]>(x, w, b)
        }",
    ),
    case(
        "Conv 2-D groups with constant weights",
        "g (float[N,4,3,3] x) => (float[N,2,2,2] y)
        <float[2,2,2,2] w = {1, -2, 3, 0.5, -1, 0.25, 2, 1, -0.5, 0.75, -1.5, 4, 0.125, -3, 2.5, 1.5}> {
            y = Conv<group = 2, kernel_shape = [2, 2]>(x, w)
        }",
    ),
    case(
        "Conv 2-D depthwise with a stride",
        "g (float[N,3,5,6] x, float[3,1,3,3] w) => (float[N,3,3,3] y) {
            y = Conv<group = 3, kernel_shape = [3, 3], pads = [1, 1, 1, 1], strides = [2, 2]>(x, w)
        }",
    ),
    case(
        "Conv 2-D depthwise with a stride, constant weights",
        "g (float[N,2,5,6] x) => (float[N,2,3,3] y)
        <float[2,1,3,3] w = {1, -2, 3, 0.5, -1, 0.25, 2, 1, -0.5, 0.75, -1.5, 4, 0.125, -3, 2.5, 1.5, -0.75, 3.5}> {
            y = Conv<group = 2, kernel_shape = [3, 3], pads = [1, 1, 1, 1], strides = [2, 2]>(x, w)
        }",
    ),
    case(
        "Conv 2-D depthwise with a stride, large constant weights",
        "g (float[N,2,7,6] x) => (float[N,2,4,3] y)
        <float[2,1,5,2] w = {1, -2, 3, 0.5, -1, 0.25, 2, 1, -0.5, 0.75, -1.5, 4, 0.125, -3, 2.5, 1.5, -0.75, 3.5, 2, -4}> {
            y = Conv<group = 2, kernel_shape = [5, 2], pads = [2, 1, 2, 0], strides = [2, 2]>(x, w)
        }",
    ),
    case(
        "Conv 1-D depthwise with a stride, large constant weights",
        "g (float[N,2,12] x) => (float[N,2,4] y)
        <float[2,1,7] w = {1, -2, 3, 0.5, -1, 0.25, 2, 1, -0.5, 0.75, -1.5, 4, 0.125, -3}> {
            y = Conv<group = 2, kernel_shape = [7], pads = [1, 3], strides = [3]>(x, w)
        }",
    ),
    case(
        "Conv 2-D depthwise with two outputs a channel",
        "g (float[1,2,4,4] x, float[4,1,2,2] w) => (float[1,4,2,3] y) {
            y = Conv<group = 2, kernel_shape = [2, 2], strides = [2, 1]>(x, w)
        }",
    ),
    case(
        "Conv 2-D pointwise with a stride",
        "g (float[N,3,5,4] x, float[2,3,1,1] w) => (float[N,2,3,2] y) {
            y = Conv<kernel_shape = [1, 1], strides = [2, 2]>(x, w)
        }",
    ),
    case(
        "Conv 2-D more padding than kernel",
        "g (float[1,1,3,3] x, float[1,1,1,2] w) => (float[1,1,5,7] y) {
            y = Conv<kernel_shape = [1, 2], pads = [1, 2, 1, 3]>(x, w)
        }",
    ),
    case(
        "Conv 2-D more padding than kernel, constant weights",
        "g (float[1,1,3,3] x) => (float[1,1,5,7] y) <float[1,1,1,2] w = {2, -3}> {
            y = Conv<kernel_shape = [1, 2], pads = [1, 2, 1, 3]>(x, w)
        }",
    ),
    case(
        "Conv 2-D same upper",
        "g (float[N,1,5,6] x, float[1,1,2,3] w) => (float[N,1,3,3] y) {
            y = Conv<auto_pad = \"SAME_UPPER\", kernel_shape = [2, 3], strides = [2, 2]>(x, w)
        }",
    ),
    case(
        "Conv 2-D same lower",
        "g (float[N,1,5,6] x, float[1,1,2,4] w) => (float[N,1,5,3] y) {
            y = Conv<auto_pad = \"SAME_LOWER\", kernel_shape = [2, 4], strides = [1, 2]>(x, w)
        }",
    ),
    case(
        "Conv 2-D valid",
        "g (float[1,1,5,6] x, float[1,1,2,4] w) => (float[1,1,4,3] y) {
            y = Conv<auto_pad = \"VALID\", kernel_shape = [2, 4]>(x, w)
        }",
    ),
    case(
        "Conv 1-D",
        "g (float[N,2,7] x, float[3,2,3] w, float[3] b) => (float[N,3,4] y) {
            y = Conv<kernel_shape = [3], pads = [1, 1], strides = [2]>(x, w, b)
        }",
    ),
    case(
        "Conv 1-D causal and dilated, groups",
        "g (float[N,4,6] x, float[2,2,3] w) => (float[N,2,6] y) {
            y = Conv<dilations = [2], group = 2, kernel_shape = [3], pads = [4, 0]>(x, w)
        }",
    ),
    case(
        "Conv 3-D",
        "g (float[N,2,3,4,3] x, float[2,2,2,3,2] w, float[2] b) => (float[N,2,2,2,3] y) {
            y = Conv<kernel_shape = [2, 3, 2], pads = [0, 1, 1, 0, 0, 0], strides = [1, 2, 1]>(x, w, b)
        }",
    ),
    case(
        "Conv 3-D depthwise",
        "g (float[1,2,3,3,4] x, float[2,1,2,2,2] w) => (float[1,2,2,2,2] y) {
            y = Conv<group = 2, kernel_shape = [2, 2, 2], strides = [1, 1, 2]>(x, w)
        }",
    ),
    case(
        "ConvTranspose 2-D",
        "g (float[N,2,3,4] x, float[2,3,3,2] w, float[3] b) => (float[N,3,5,5] y) {
            y = ConvTranspose<kernel_shape = [3, 2]>(x, w, b)
        }",
    ),
    case(
        "ConvTranspose 2-D strides, pads and output padding",
        "g (float[N,2,3,2] x, float[2,1,3,3] w) => (float[N,1,6,5] y) {
            y = ConvTranspose<kernel_shape = [3, 3], output_padding = [1, 2], pads = [1, 0, 1, 3], strides = [2, 3]>(x, w)
        }",
    ),
    case(
        "ConvTranspose 2-D groups and dilation",
        "g (float[N,4,3,3] x, float[4,1,2,2] w) => (float[N,2,5,6] y) {
            y = ConvTranspose<dilations = [2, 3], group = 2, kernel_shape = [2, 2]>(x, w)
        }",
    ),
    case(
        "ConvTranspose 2-D depthwise",
        "g (float[N,3,3,3] x, float[3,1,2,2] w) => (float[N,3,6,6] y) {
            y = ConvTranspose<group = 3, kernel_shape = [2, 2], strides = [2, 2]>(x, w)
        }",
    ),
    case(
        "ConvTranspose 2-D output shape",
        "g (float[1,1,3,3] x, float[1,1,3,3] w) => (float[1,1,6,5] y) {
            y = ConvTranspose<kernel_shape = [3, 3], output_shape = [6, 5], strides = [2, 2]>(x, w)
        }",
    ),
    case(
        "ConvTranspose 2-D same upper",
        "g (float[1,2,3,3] x, float[2,1,3,3] w) => (float[1,1,6,6] y) {
            y = ConvTranspose<auto_pad = \"SAME_UPPER\", kernel_shape = [3, 3], strides = [2, 2]>(x, w)
        }",
    ),
    case(
        "ConvTranspose 2-D same lower",
        "g (float[1,2,3,3] x, float[2,1,3,3] w) => (float[1,1,6,6] y) {
            y = ConvTranspose<auto_pad = \"SAME_LOWER\", kernel_shape = [3, 3], strides = [2, 2]>(x, w)
        }",
    ),
    case(
        "ConvTranspose 1-D",
        "g (float[N,2,4] x, float[2,3,4] w) => (float[N,3,8] y) {
            y = ConvTranspose<kernel_shape = [4], pads = [1, 1], strides = [2]>(x, w)
        }",
    ),
    case(
        "ConvTranspose 3-D",
        "g (float[N,2,2,2,2] x, float[2,1,2,2,3] w) => (float[N,1,4,3,3] y) {
            y = ConvTranspose<kernel_shape = [2, 2, 3], pads = [0, 0, 1, 0, 0, 0], strides = [2, 1, 1]>(x, w)
        }",
    ),
];
