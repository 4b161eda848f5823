//! Cases of activation functions, each also far from 0, where a careless formula overflows.

use super::OpCase;

macro_rules! activation {
    ($name:literal, $call:literal) => {
        OpCase::new($name, concat!("g (float[N,5] a) => (float[N,5] y) { y = ", $call, " }"))
    };
}

macro_rules! far {
    ($name:literal, $call:literal) => {
        activation!($name, $call)
            .fix(&[("a", &[-1000.0, -100.0, -30.0, -9.0, -1.0, 0.1, 1.0, 9.0, 30.0, 1000.0])])
    };
}

pub(super) const CASES: &[OpCase] = &[
    activation!("Relu", "Relu(a)"),
    activation!("LeakyRelu", "LeakyRelu(a)"),
    activation!("LeakyRelu alpha", "LeakyRelu<alpha = 0.3>(a)"),
    OpCase::new("PRelu", "g (float[2,3,2] a, float[3,1] s) => (float[2,3,2] y) { y = PRelu(a, s) }"),
    OpCase::new(
        "PRelu of one slope",
        "g (float[N,3,2] a, float[1] s) => (float[N,3,2] y) { y = PRelu(a, s) }",
    ),
    activation!("Elu", "Elu(a)"),
    activation!("Elu alpha", "Elu<alpha = 0.5>(a)"),
    activation!("Selu", "Selu(a)"),
    activation!("Selu alpha", "Selu<alpha = 0.5, gamma = 2.0>(a)"),
    activation!("Celu", "Celu(a)"),
    activation!("Celu alpha", "Celu<alpha = 0.5>(a)"),
    activation!("Softplus", "Softplus(a)"),
    activation!("Softsign", "Softsign(a)"),
    activation!("Sigmoid", "Sigmoid(a)"),
    activation!("HardSigmoid", "HardSigmoid(a)").range(-4.0, 4.0),
    activation!("HardSigmoid alpha", "HardSigmoid<alpha = 0.4, beta = 0.3>(a)"),
    activation!("HardSwish", "HardSwish(a)").range(-4.0, 4.0),
    activation!("Mish", "Mish(a)"),
    activation!("Tanh", "Tanh(a)"),
    activation!("Erf", "Erf(a)"),
    activation!("Gelu", "Gelu(a)"),
    activation!("Gelu tanh", "Gelu<approximate = \"tanh\">(a)"),
    activation!("ThresholdedRelu", "ThresholdedRelu<alpha = 0.5>(a)"),
    activation!("Swish", "Swish(a)"),
    activation!("Swish alpha", "Swish<alpha = 1.7>(a)"),
    far!("Softplus far", "Softplus(a)"),
    far!("Softsign far", "Softsign(a)"),
    far!("Sigmoid far", "Sigmoid(a)"),
    far!("Mish far", "Mish(a)"),
    far!("Tanh far", "Tanh(a)"),
    far!("Elu far", "Elu(a)"),
    far!("Selu far", "Selu(a)"),
    far!("Celu far", "Celu<alpha = 0.5>(a)"),
    far!("Erf far", "Erf(a)"),
    far!("Gelu far", "Gelu(a)"),
    far!("Gelu tanh far", "Gelu<approximate = \"tanh\">(a)"),
    far!("Swish far", "Swish(a)"),
];
