//! Cases of recurrent layers: directions, lengths, states, biases, peepholes and activations.

use super::OpCase;

const LENGTHS: &[(&str, &[f64])] = &[("n", &[3.0, 1.0])];

pub(super) const CASES: &[OpCase] = &[
    OpCase::new(
        "LSTM",
        "g (float[3,N,2] x, float[1,12,2] w, float[1,12,3] r) => (float[3,1,N,3] y, float[1,N,3] h, float[1,N,3] c)
         { y, h, c = LSTM<hidden_size = 3>(x, w, r) }",
    ),
    OpCase::new(
        "LSTM of its last state alone",
        "g (float[3,N,2] x, float[1,12,2] w, float[1,12,3] r, float[1,24] b) => (float[1,N,3] h)
         { \"\", h = LSTM<hidden_size = 3>(x, w, r, b) }",
    ),
    OpCase::new(
        "LSTM in both directions with lengths",
        "g (float[3,2,2] x, float[2,8,2] w, float[2,8,2] r, float[2,16] b, int32[2] n) => (float[3,2,2,2] y, float[2,2,2] h, float[2,2,2] c)
         { y, h, c = LSTM<hidden_size = 2, direction = \"bidirectional\">(x, w, r, b, n) }",
    )
    .fix(LENGTHS),
    OpCase::new(
        "LSTM with states and peepholes",
        "g (float[2,N,2] x, float[1,8,2] w, float[1,8,2] r, float[1,16] b, float[1,N,2] h0, float[1,N,2] c0, float[1,6] p)
         => (float[2,1,N,2] y, float[1,N,2] c)
         { y, \"\", c = LSTM<hidden_size = 2>(x, w, r, b, \"\", h0, c0, p) }",
    ),
    OpCase::new(
        "LSTM in reverse with other activations",
        "g (float[2,N,2] x, float[1,8,2] w, float[1,8,2] r) => (float[2,1,N,2] y)
         { y = LSTM<hidden_size = 2, direction = \"reverse\", activations = [\"HardSigmoid\", \"Softsign\", \"LeakyRelu\"],
                    activation_alpha = [0.3, 0.1], activation_beta = [0.4]>(x, w, r) }",
    ),
    OpCase::new(
        "LSTM clipped, with joined gates",
        "g (float[2,N,2] x, float[1,8,2] w, float[1,8,2] r) => (float[2,1,N,2] y)
         { y = LSTM<hidden_size = 2, clip = 0.7, input_forget = 1>(x, w, r) }",
    ),
    OpCase::new(
        "GRU",
        "g (float[3,N,2] x, float[1,9,2] w, float[1,9,3] r, float[1,18] b) => (float[3,1,N,3] y, float[1,N,3] h)
         { y, h = GRU<hidden_size = 3>(x, w, r, b) }",
    ),
    OpCase::new(
        "GRU linear before the reset gate",
        "g (float[3,N,2] x, float[1,9,2] w, float[1,9,3] r, float[1,18] b) => (float[3,1,N,3] y, float[1,N,3] h)
         { y, h = GRU<hidden_size = 3, linear_before_reset = 1>(x, w, r, b) }",
    ),
    OpCase::new(
        "GRU in both directions with lengths and states",
        "g (float[3,2,2] x, float[2,6,2] w, float[2,6,2] r, float[2,12] b, int32[2] n, float[2,2,2] h0)
         => (float[3,2,2,2] y, float[2,2,2] h)
         { y, h = GRU<hidden_size = 2, direction = \"bidirectional\", linear_before_reset = 1>(x, w, r, b, n, h0) }",
    )
    .fix(LENGTHS),
    OpCase::new(
        "GRU in reverse, clipped",
        "g (float[2,N,2] x, float[1,6,2] w, float[1,6,2] r) => (float[2,1,N,2] y)
         { y = GRU<hidden_size = 2, direction = \"reverse\", clip = 0.7>(x, w, r) }",
    ),
    OpCase::new(
        "RNN",
        "g (float[3,N,2] x, float[1,3,2] w, float[1,3,3] r, float[1,6] b) => (float[3,1,N,3] y, float[1,N,3] h)
         { y, h = RNN<hidden_size = 3>(x, w, r, b) }",
    ),
    OpCase::new(
        "RNN in both directions with lengths",
        "g (float[3,2,2] x, float[2,2,2] w, float[2,2,2] r, int32[2] n) => (float[3,2,2,2] y, float[2,2,2] h)
         { y, h = RNN<hidden_size = 2, direction = \"bidirectional\", activations = [\"Relu\", \"Affine\"],
                      activation_alpha = [0.5], activation_beta = [0.25]>(x, w, r, \"\", n) }",
    )
    .fix(LENGTHS),
];
