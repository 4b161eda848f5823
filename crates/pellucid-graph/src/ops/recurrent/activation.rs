//! The activation functions of recurrent layers, by the names and defaults of ONNX.

use crate::graph::Node;

/// A function by name, with its parameters.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Activation {
    /// Its name in lower case.
    pub(crate) name: String,
    pub(crate) alpha: f64,
    pub(crate) beta: f64,
}

/// The functions with their default parameters; those without one take none from the lists.
const KNOWN: &[(&str, Option<f64>, Option<f64>)] = &[
    ("affine", Some(1.0), Some(0.0)),
    ("elu", Some(1.0), None),
    ("hardsigmoid", Some(0.2), Some(0.5)),
    ("leakyrelu", Some(0.01), None),
    ("relu", None, None),
    ("scaledtanh", Some(1.0), Some(1.0)),
    ("sigmoid", None, None),
    ("softplus", None, None),
    ("softsign", None, None),
    ("tanh", None, None),
    ("thresholdedrelu", Some(1.0), None),
];

impl Activation {
    /// The activations of all directions; the lists of parameters are used up by the functions that have some.
    pub(super) fn of_node(node: &Node, defaults: &[&str], n_directions: usize) -> Result<Vec<Self>, String> {
        let names: Vec<String> = match node.attributes.get("activations") {
            Some(crate::graph::Attribute::Strings(names)) => names.clone(),
            _ => defaults.repeat(n_directions).into_iter().map(str::to_owned).collect(),
        };
        if names.len() != defaults.len() * n_directions {
            return Err(format!(
                "{} activations where {} are needed",
                names.len(),
                defaults.len() * n_directions
            ));
        }
        let list = |name: &str| node.floats(name).unwrap_or_default().iter().map(|x| f64::from(*x));
        let (mut alphas, mut betas) = (list("activation_alpha"), list("activation_beta"));
        let mut found = Vec::new();
        for name in names {
            let name = name.to_lowercase();
            let known = KNOWN.iter().find(|(known, ..)| *known == name);
            let (_, alpha, beta) = known.ok_or_else(|| format!("activation `{name}` is not supported"))?;
            let next = |default: &Option<f64>, given: &mut dyn Iterator<Item = f64>| {
                default.map_or(0.0, |default| given.next().unwrap_or(default))
            };
            let (alpha, beta) = (next(alpha, &mut alphas), next(beta, &mut betas));
            found.push(Self { name, alpha, beta });
        }
        Ok(found)
    }

    /// The function at `x`.
    pub(super) fn of(&self, x: f64) -> f64 {
        let (alpha, beta) = (self.alpha, self.beta);
        match self.name.as_str() {
            "affine" => alpha * x + beta,
            "elu" => {
                if x < 0.0 {
                    alpha * x.exp_m1()
                } else {
                    x
                }
            }
            "hardsigmoid" => (alpha * x + beta).clamp(0.0, 1.0),
            "leakyrelu" => {
                if x < 0.0 {
                    alpha * x
                } else {
                    x
                }
            }
            "relu" => x.max(0.0),
            "scaledtanh" => alpha * (beta * x).tanh(),
            "sigmoid" => 1.0 / (1.0 + (-x).exp()),
            "softplus" => x.max(0.0) + (-x.abs()).exp().ln_1p(),
            "softsign" => x / (1.0 + x.abs()),
            "thresholdedrelu" => {
                if x > alpha {
                    x
                } else {
                    0.0
                }
            }
            _ => x.tanh(),
        }
    }
}
