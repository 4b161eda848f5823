//! LRP as a person asks for it: a composite by name, its numbers, and rules of one's own from a TOML file.

use std::path::Path;

use ndarray::IxDyn;
use pellucid_core::Work;
use pellucid_explain::lrp::{
    self, Assignment, Composite, Formula, GAMMA, LayerRule, STABILIZER, Selector, Settings,
};
use serde::Deserialize;

use crate::aim::{Aim, compared};
use crate::digests::{self, Named};
use crate::error::Error;
use crate::explain::Request;
use crate::file;
use crate::input::Input;
use crate::method::{Method, MethodOptions};
use crate::model::LoadedModel;
use crate::parameter::Parameter;

/// The composite that is taken where none is named.
const DEFAULT: &str = "epsilon_plus";

/// LRP with what was asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Relevance {
    /// The rules of all layers.
    pub options: lrp::Options,
    composite: String,
    settings: Settings,
    /// The name of the file of own rules, and its digest.
    rules: Option<Named>,
}

impl Relevance {
    /// Takes the options of LRP out of `left`.
    ///
    /// # Errors
    /// An unknown composite, numbers that it does not have or that cannot be, a rule that names no layer of the model.
    pub(crate) fn new(left: &mut MethodOptions, model: &LoadedModel) -> Result<Self, Error> {
        let name = left.composite.take().unwrap_or_else(|| DEFAULT.to_owned()).replace('-', "_");
        let boxed = name == "epsilon_gamma_box";
        let settings = Settings {
            epsilon: Some(left.epsilon.take().unwrap_or(STABILIZER)),
            gamma: left.gamma.take().or(boxed.then_some(GAMMA)),
            bounds: bounds(left, model, boxed)?,
        };
        let mut composite = Composite::named(&name, &settings)?;
        let path = left.rules.take();
        let mut rules = None;
        if let Some(path) = path.as_deref().map(Path::new) {
            let text = file::read_text(path)?;
            composite.own = parse(&text).map_err(|reason| Error::input(path, reason))?;
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            rules = Some(Named { text: name, digest: Some(digests::of_text(&text)) });
        }
        composite.check(model.network().graph())?;
        let options = lrp::Options { composite };
        Ok(Self { options, composite: name, settings, rules })
    }

    /// All options with their values.
    pub(crate) fn parameters(&self) -> Vec<(&'static str, Parameter)> {
        let list = |numbers: &[f64]| numbers.iter().map(f64::to_string).collect::<Vec<_>>().join(",");
        let bound = |numbers: Option<&Vec<f64>>| numbers.map_or(Parameter::Unset, |bound| list(bound).into());
        let name = |rules: &Named| Parameter::Text(rules.text.clone());
        let mut parameters = vec![
            ("composite", self.composite.clone().into()),
            ("epsilon", self.settings.epsilon.into()),
            ("gamma", self.settings.gamma.into()),
            ("low", bound(self.settings.bounds.as_ref().map(|bounds| &bounds.0))),
            ("high", bound(self.settings.bounds.as_ref().map(|bounds| &bounds.1))),
            ("rules", self.rules.as_ref().map_or(Parameter::Unset, name)),
        ];
        parameters.extend(self.rules.as_ref().and_then(|rules| rules.parameter("rules_digest")));
        parameters
    }
}

/// The lowest and the highest value of the input, one number or one a channel.
type Bounds = (Vec<f64>, Vec<f64>);

/// The bounds of the input: as given, or black and white of the model's images.
fn bounds(left: &mut MethodOptions, model: &LoadedModel, needed: bool) -> Result<Option<Bounds>, Error> {
    match (left.low.take(), left.high.take()) {
        (Some(low), Some(high)) => Ok(Some((low, high))),
        (Some(_), None) => Err(Error::request("low", "needs a `high` beside it")),
        (None, Some(_)) => Err(Error::request("high", "needs a `low` beside it")),
        (None, None) if needed => Ok(model.preprocess().map(|preprocess| {
            let image = preprocess.image_values();
            let ends = image.black.iter().zip(&image.white);
            ends.map(|(a, b)| (f64::from(a.min(*b)), f64::from(a.max(*b)))).unzip()
        })),
        (None, None) => Ok(None),
    }
}

/// What LRP passes on at each node, from the output to the input, as CSV: a line for each row, target and node with the
/// relevance that arrived, that went on, that constants absorbed and that stabilizers took. Takes a run for each row.
///
/// # Errors
/// Another method; whatever LRP reports.
pub fn conservation_csv(
    model: &LoadedModel,
    input: &Input,
    request: &Request,
    work: &Work,
) -> Result<Vec<u8>, Error> {
    let Method::Lrp(relevance) = &request.method else {
        return Err(Error::request(
            "conservation",
            format!("is of lrp; the method is {}", request.method.name()),
        ));
    };
    let compared = compared(model, &request.target, work)?;
    let model = compared.as_ref().unwrap_or(model);
    let Aim { target, .. } = Aim::new(model, &input.rows, &request.target, work)?;
    let flows = lrp::conservation(model.network(), &input.rows, &target, &relevance.options, work)?;
    let mut table = csv::Writer::from_writer(Vec::new());
    let header = ["row", "target", "op", "node", "arrived", "sent", "absorbed", "stabilizer"];
    let mut lines = vec![header.map(str::to_owned)];
    for row in 0..input.rows.shape()[0] {
        for k in 0..target.n_targets() {
            for flow in &flows {
                let absorbed = flow.absorbed();
                let numbers = [&flow.inward, &flow.outward, &absorbed, &flow.stabilizer];
                let [arrived, sent, absorbed, stabilizer] =
                    numbers.map(|part| part[IxDyn(&[row, k])].to_string());
                let (op, node) = (flow.op.clone(), flow.node.clone());
                lines.push([row.to_string(), k.to_string(), op, node, arrived, sent, absorbed, stabilizer]);
            }
        }
    }
    let fault = |reason: String| Error::output(Path::new("conservation.csv"), reason);
    lines.iter().try_for_each(|line| table.write_record(line)).map_err(|error| fault(error.to_string()))?;
    table.into_inner().map_err(|error| fault(error.to_string()))
}

/// A file of rules: the first that fits a node is taken.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleFile {
    rule: Vec<RuleEntry>,
}

/// `op`, `name` and `first` say where, all else which rule.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleEntry {
    op: Option<String>,
    name: Option<String>,
    #[serde(default)]
    first: bool,
    rule: String,
    stabilizer: Option<f64>,
    gamma: Option<f64>,
    alpha: Option<f64>,
    beta: Option<f64>,
    low: Option<Numbers>,
    high: Option<Numbers>,
}

/// One number, or one a channel.
#[derive(Deserialize)]
#[serde(untagged)]
enum Numbers {
    One(f64),
    Each(Vec<f64>),
}

impl Numbers {
    fn list(self) -> Vec<f64> {
        match self {
            Self::One(number) => vec![number],
            Self::Each(numbers) => numbers,
        }
    }
}

fn parse(text: &str) -> Result<Vec<Assignment>, String> {
    let file: RuleFile = toml::from_str(text).map_err(|error| {
        let line = error.span().map_or(1, |span| text[..span.start].matches('\n').count() + 1);
        format!("line {line}: {}", error.message().replace('\n', " "))
    })?;
    let entries = file.rule.into_iter().enumerate();
    entries
        .map(|(i, entry)| entry.assignment().map_err(|reason| format!("rule {}: {reason}", i + 1)))
        .collect()
}

impl RuleEntry {
    fn assignment(mut self) -> Result<Assignment, String> {
        if self.op.is_none() && self.name.is_none() && !self.first {
            return Err(
                "says for no layer; write op = \"Conv\", name = \"layer4*\" or first = true".to_owned()
            );
        }
        let formula = self.formula()?;
        let left = [
            ("gamma", self.gamma.is_some()),
            ("alpha", self.alpha.is_some()),
            ("beta", self.beta.is_some()),
            ("low", self.low.is_some()),
            ("high", self.high.is_some()),
        ];
        if let Some((option, _)) = left.iter().find(|(_, given)| *given) {
            return Err(format!("`{}` has no `{option}`", self.rule));
        }
        let stabilizer = self.stabilizer.unwrap_or(STABILIZER);
        let selector = Selector { op: self.op, name: self.name, first: self.first };
        Ok(Assignment { selector, rule: LayerRule { formula, stabilizer } })
    }

    /// The formula, its numbers taken out.
    fn formula(&mut self) -> Result<Formula, String> {
        Ok(match self.rule.replace('-', "_").as_str() {
            "epsilon" => Formula::Epsilon,
            "gamma" => Formula::Gamma { gamma: self.gamma.take().unwrap_or(GAMMA) },
            "zplus" => Formula::ZPlus,
            "alpha_beta" => {
                let beta = self.beta.take();
                let alpha = self.alpha.take().unwrap_or(beta.map_or(2.0, |beta| 1.0 + beta));
                Formula::AlphaBeta { alpha, beta: beta.unwrap_or(alpha - 1.0) }
            }
            "box" => match (self.low.take(), self.high.take()) {
                (Some(low), Some(high)) => Formula::Box { low: low.list(), high: high.list() },
                _ => return Err("`box` needs low and high, the bounds of the layer's input".to_owned()),
            },
            "w_square" => Formula::WSquare,
            "flat" => Formula::Flat,
            "pass" => Formula::Pass,
            "norm" => Formula::Norm,
            "stop" => Formula::Stop,
            other => {
                return Err(format!(
                    "no rule `{other}`; there are: epsilon, gamma, zplus, alpha_beta, box, w_square, flat, pass, norm, stop"
                ));
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_rules_is_read_in_its_order() {
        let text = "
            [[rule]]
            first = true
            rule = \"box\"
            low = [-2.1, -2, -1.8]
            high = 2.5

            [[rule]]
            op = \"Conv\"
            name = \"layer4*\"
            rule = \"alpha-beta\"
            alpha = 1
            stabilizer = 1e-4";
        let first = Selector { first: true, ..Selector::default() };
        let last = Selector { op: Some("Conv".to_owned()), name: Some("layer4*".to_owned()), first: false };
        let bounds = Formula::Box { low: vec![-2.1, -2.0, -1.8], high: vec![2.5] };
        let z_plus = LayerRule { formula: Formula::AlphaBeta { alpha: 1.0, beta: 0.0 }, stabilizer: 1e-4 };
        let expected = vec![
            Assignment { selector: first, rule: LayerRule::new(bounds) },
            Assignment { selector: last, rule: z_plus },
        ];
        assert_eq!(parse(text), Ok(expected));
    }

    #[test]
    fn what_a_file_of_rules_must_not_say_is_told() {
        let check = |text: &str, expected: &str| {
            let reason = parse(text).expect_err("refused");
            assert!(reason.contains(expected), "{reason}");
        };
        check("[[rule]]\nop = \"Conv\"\nrule = \"zminus\"", "rule 1: no rule `zminus`; there are: epsilon");
        check("[[rule]]\nrule = \"flat\"", "for no layer");
        check("[[rule]]\nop = \"Conv\"\nrule = \"flat\"\ngamma = 1", "`flat` has no `gamma`");
        check("[[rule]]\nop = \"Conv\"\nrule = \"box\"\nlow = 0", "low and high");
        check("[[rule]]\nop = \"Conv\"\nrule = \"flat\"\nlayer = 1", "layer");
        check("rules = 1", "rule");
    }
}
