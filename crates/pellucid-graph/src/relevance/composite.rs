//! Which rule goes where: composites by name, and rules of a person's own before them.

use crate::backward::Place;
use crate::error::Error;
use crate::graph::{Graph, Node};

/// How one layer shares relevance out, `R_i = Σ_j share_ij R_j`.
#[derive(Clone, Debug, PartialEq)]
pub enum Formula {
    /// `x_i w_ij / z_j`: LRP-0 with a stabilizer of 0, LRP-ε with a larger one.
    Epsilon,
    /// As `Epsilon`, with what speaks for the output's own sign made `1 + γ` times as strong.
    Gamma {
        /// γ
        gamma: f64,
    },
    /// `(x_i w_ij)⁺ / Σ (x_i w_ij)⁺`
    ZPlus,
    /// `α (x_i w_ij)⁺ / Σ (x_i w_ij)⁺ − β (x_i w_ij)⁻ / Σ (x_i w_ij)⁻`, `α − β = 1`
    AlphaBeta {
        /// α
        alpha: f64,
        /// β
        beta: f64,
    },
    /// z^B, for an input between bounds: `(x_i w_ij − l_i w⁺_ij − h_i w⁻_ij) / Σ …`
    Box {
        /// The lowest value of the input: one number, or one a channel.
        low: Vec<f64>,
        /// The highest value.
        high: Vec<f64>,
    },
    /// `w²_ij / Σ w²_ij`, whatever the input
    WSquare,
    /// The same share for every input that the output is connected with.
    Flat,
    /// Relevance goes through as it is.
    Pass,
    /// As `Epsilon`, the bias left out of `z`.
    Norm,
    /// Relevance ends here.
    Stop,
}

/// A formula with its stabilizer.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerRule {
    /// How relevance is shared out.
    pub formula: Formula,
    /// ε, which takes a denominator away from 0 in the direction of its sign.
    pub stabilizer: f64,
}

impl LayerRule {
    /// A formula with the usual stabilizer.
    pub fn new(formula: Formula) -> Self {
        Self { formula, stabilizer: STABILIZER }
    }
}

/// The stabilizer of all rules where no other is asked for.
pub const STABILIZER: f64 = 1e-6;

/// Which nodes a rule is for; whatever is left out fits every node.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Selector {
    /// The op, in ONNX's spelling.
    pub op: Option<String>,
    /// A pattern of the node's name or of its output's, `*` for any letters and `?` for one.
    pub name: Option<String>,
    /// Whether only the first layer with weights is meant.
    pub first: bool,
}

impl Selector {
    fn of_op(op: &str, first: bool) -> Self {
        Self { op: Some(op.to_owned()), first, ..Self::default() }
    }

    /// Whether a node of the graph is meant, wherever it stands.
    fn names(&self, graph: &Graph, node: &Node) -> bool {
        let name_fits = |pattern: &str| {
            let output = node.outputs.first().copied().flatten().map(|wire| graph.name_of(wire));
            fits(pattern, &node.name) || output.is_some_and(|output| fits(pattern, output))
        };
        self.op.as_deref().is_none_or(|op| op == node.op) && self.name.as_deref().is_none_or(name_fits)
    }

    fn text(&self) -> String {
        let op = self.op.iter().map(|op| format!("op = \"{op}\""));
        let name = self.name.iter().map(|name| format!("name = \"{name}\""));
        let first = self.first.then(|| "first = true".to_owned());
        op.chain(name).chain(first).collect::<Vec<_>>().join(", ")
    }
}

/// Whether `text` fits a pattern of letters, `*` and `?`.
fn fits(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    // `reached[t]`: what is read of the pattern fits the first `t` letters.
    let mut reached = vec![false; text.len() + 1];
    reached[0] = true;
    for letter in pattern {
        let mut next = vec![false; text.len() + 1];
        for t in 0..=text.len() {
            next[t] = match letter {
                '*' => reached[t] || (t > 0 && next[t - 1]),
                '?' => t > 0 && reached[t - 1],
                letter => t > 0 && reached[t - 1] && text[t - 1] == letter,
            };
        }
        reached = next;
    }
    reached[text.len()]
}

/// A rule and where it goes.
#[derive(Clone, Debug, PartialEq)]
pub struct Assignment {
    /// Where.
    pub selector: Selector,
    /// Which.
    pub rule: LayerRule,
}

/// Which rule each layer gets: the first assignment that fits, those of a person's own first.
#[derive(Clone, Debug, PartialEq)]
pub struct Composite {
    /// A person's own rules; each must fit a node.
    pub own: Vec<Assignment>,
    /// Those of a composite that has a name.
    pub preset: Vec<Assignment>,
    /// For all other layers with weights.
    pub rest: LayerRule,
}

/// The numbers that composites with a name leave open.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {
    /// The stabilizer of the ε-rule. Default: [`STABILIZER`].
    pub epsilon: Option<f64>,
    /// γ, where there is one. Default: 0.25, and none under `attnlrp`.
    pub gamma: Option<f64>,
    /// The lowest and highest value of the input, one number or one a channel, for the z^B rule.
    pub bounds: Option<(Vec<f64>, Vec<f64>)>,
}

/// The γ of `epsilon_gamma_box`.
pub const GAMMA: f64 = 0.25;

const CONVOLUTIONS: [&str; 2] = ["Conv", "ConvTranspose"];
const DENSE: [&str; 2] = ["Gemm", "MatMul"];

impl Composite {
    /// The composites that have a name.
    pub const NAMES: [&'static str; 7] = [
        "epsilon",
        "epsilon_plus",
        "epsilon_plus_flat",
        "epsilon_gamma_box",
        "epsilon_alpha2_beta1",
        "epsilon_alpha2_beta1_flat",
        "attnlrp",
    ];

    /// The composite of that name: ε on dense layers, and on convolutions what it is named after.
    ///
    /// # Errors
    /// [`Error::RelevanceRule`]: no such name, a setting that it does not have or that cannot be, bounds left out.
    pub fn named(name: &str, settings: &Settings) -> Result<Self, Error> {
        let fault = |reason: String| Error::RelevanceRule { rule: name.to_owned(), reason };
        let new = LayerRule::new;
        let (convolutions, first) = match name {
            "epsilon" | "attnlrp" => (None, None),
            "epsilon_plus" => (Some(new(Formula::ZPlus)), None),
            "epsilon_plus_flat" => (Some(new(Formula::ZPlus)), Some(new(Formula::Flat))),
            "epsilon_gamma_box" => {
                let gamma = settings.gamma.unwrap_or(GAMMA);
                let bounds = settings.bounds.clone();
                let (low, high) = bounds.ok_or_else(|| {
                    fault("needs the lowest and highest value of the input (low, high)".to_owned())
                })?;
                (Some(new(Formula::Gamma { gamma })), Some(new(Formula::Box { low, high })))
            }
            "epsilon_alpha2_beta1" => (Some(new(ALPHA2_BETA1)), None),
            "epsilon_alpha2_beta1_flat" => (Some(new(ALPHA2_BETA1)), Some(new(Formula::Flat))),
            _ => return Err(fault(format!("no such composite; there are: {}", Self::NAMES.join(", ")))),
        };
        let has_gamma = ["epsilon_gamma_box", "attnlrp"].contains(&name);
        if settings.gamma.is_some() && !has_gamma {
            return Err(fault("has no gamma; epsilon_gamma_box and attnlrp have".to_owned()));
        }
        if settings.bounds.is_some() && name != "epsilon_gamma_box" {
            return Err(fault("has no bounds of the input; epsilon_gamma_box has".to_owned()));
        }
        let formula = match settings.gamma {
            Some(gamma) if name == "attnlrp" => Formula::Gamma { gamma },
            _ => Formula::Epsilon,
        };
        let rest = LayerRule { formula, stabilizer: settings.epsilon.unwrap_or(STABILIZER) };
        let preset = assignments(convolutions, first);
        let composite = Self { own: Vec::new(), preset, rest };
        composite.check_numbers()?;
        Ok(composite)
    }

    /// The rule that somebody chose for a node, if any did.
    pub(super) fn assigned(&self, graph: &Graph, node: &Node, place: &Place) -> Option<&LayerRule> {
        let here = |assignment: &&Assignment| {
            (!assignment.selector.first || place.first_linear) && assignment.selector.names(graph, node)
        };
        self.own.iter().chain(&self.preset).find(here).map(|assignment| &assignment.rule)
    }

    /// Checks that the numbers can be, and that each rule of a person's own fits a node.
    ///
    /// # Errors
    /// [`Error::RelevanceRule`].
    pub fn check(&self, graph: &Graph) -> Result<(), Error> {
        self.check_numbers()?;
        let fits_none = |assignment: &&Assignment| {
            !graph.nodes().iter().any(|node| assignment.selector.names(graph, node))
        };
        match self.own.iter().find(fits_none) {
            None => Ok(()),
            Some(Assignment { selector, .. }) => Err(Error::RelevanceRule {
                rule: selector.text(),
                reason: format!("fits no node of the graph{}", some_layers(graph)),
            }),
        }
    }

    fn check_numbers(&self) -> Result<(), Error> {
        let assigned = self.own.iter().chain(&self.preset).map(|assignment| &assignment.rule);
        assigned.chain([&self.rest]).try_for_each(check_rule)
    }
}

const ALPHA2_BETA1: Formula = Formula::AlphaBeta { alpha: 2.0, beta: 1.0 };

/// The rule of all convolutions, before it that of the first layer: z^B takes convolutions alone.
fn assignments(convolutions: Option<LayerRule>, first: Option<LayerRule>) -> Vec<Assignment> {
    let mut assignments = Vec::new();
    if let Some(rule) = first {
        let dense: &[&str] = if matches!(rule.formula, Formula::Box { .. }) { &[] } else { &DENSE };
        let of_op = |op: &&str| Assignment { selector: Selector::of_op(op, true), rule: rule.clone() };
        assignments.extend(CONVOLUTIONS.iter().chain(dense).map(of_op));
    }
    if let Some(rule) = convolutions {
        let of_op = |op: &&str| Assignment { selector: Selector::of_op(op, false), rule: rule.clone() };
        assignments.extend(CONVOLUTIONS.iter().map(of_op));
    }
    assignments
}

fn check_rule(rule: &LayerRule) -> Result<(), Error> {
    let fault = |name: &str, reason: &str| {
        Err(Error::RelevanceRule { rule: name.to_owned(), reason: reason.to_owned() })
    };
    let positive = |number: f64| number.is_finite() && number >= 0.0;
    if !positive(rule.stabilizer) {
        return fault("stabilizer", "must be a number of 0 or more");
    }
    match &rule.formula {
        Formula::Gamma { gamma } if !positive(*gamma) => fault("gamma", "γ must be a number of 0 or more"),
        Formula::AlphaBeta { alpha, beta } if !positive(*beta) || (alpha - beta - 1.0).abs() > 1e-9 => {
            fault("alpha_beta", "α − β must be 1, and β 0 or more: else relevance is not conserved")
        }
        Formula::Box { low, high } => check_bounds(low, high),
        _ => Ok(()),
    }
}

fn check_bounds(low: &[f64], high: &[f64]) -> Result<(), Error> {
    let at = |bound: &[f64], i: usize| bound[if bound.len() == 1 { 0 } else { i }];
    let n = low.len().max(high.len());
    let lengths_fit =
        !low.is_empty() && !high.is_empty() && [low.len(), high.len()].iter().all(|&m| m == 1 || m == n);
    match lengths_fit && (0..n).all(|i| at(low, i) < at(high, i)) {
        true => Ok(()),
        false => Err(Error::RelevanceRule {
            rule: "box".to_owned(),
            reason: "low must be below high, each one number or one a channel".to_owned(),
        }),
    }
}

/// Names to choose from, for messages.
fn some_layers(graph: &Graph) -> String {
    let weighted = |node: &&Node| CONVOLUTIONS.iter().chain(&DENSE).any(|op| *op == node.op);
    let layers: Vec<String> = graph
        .nodes()
        .iter()
        .filter(weighted)
        .take(4)
        .map(|node| format!("{} `{}`", node.op, node.name))
        .collect();
    match layers.as_slice() {
        [] => String::new(),
        layers => format!("; layers with weights are: {} …", layers.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit_whole_names() {
        for (pattern, text, expected) in [
            ("layer4*", "layer4.0/conv1", true),
            ("layer4", "layer4.0", false),
            ("*conv?", "layer1/conv2", true),
            ("*conv?", "layer1/conv", false),
            ("*", "", true),
            ("a*b*c", "a-b-b-c", true),
            ("a*b", "a-b-c", false),
        ] {
            assert_eq!(fits(pattern, text), expected, "{pattern} {text}");
        }
    }

    fn reason(result: Result<Composite, Error>) -> String {
        result.expect_err("refused").to_string()
    }

    #[test]
    fn composites_that_cannot_be_are_refused() {
        assert!(
            reason(Composite::named("epsilon_minus", &Settings::default())).contains("epsilon_plus_flat")
        );
        assert!(reason(Composite::named("epsilon_gamma_box", &Settings::default())).contains("low, high"));
        let gamma = Settings { gamma: Some(0.5), ..Settings::default() };
        assert!(reason(Composite::named("epsilon_plus", &gamma)).contains("no gamma"));
        let negative = Settings { epsilon: Some(-1.0), ..Settings::default() };
        assert!(reason(Composite::named("epsilon", &negative)).contains("stabilizer"));
        let crossed = Settings { bounds: Some((vec![1.0], vec![0.0, 2.0])), ..Settings::default() };
        assert!(reason(Composite::named("epsilon_gamma_box", &crossed)).contains("below high"));
        let leaky = LayerRule::new(Formula::AlphaBeta { alpha: 2.0, beta: 0.5 });
        assert!(check_rule(&leaky).is_err());
    }
}
