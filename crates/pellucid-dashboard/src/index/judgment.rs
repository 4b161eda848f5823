//! What a model's outputs predict, how surely, and whether it was right.

use pellucid_store::Record;
use serde::Serialize;
use serde_json::Value;

use super::Model;
use super::explained::Explained;
use super::row::NONE;

/// What was true.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Label {
    /// A class's index, a regression's value, or a flag as 0 or 1.
    Number(f64),
    /// A class's name.
    Name(Box<str>),
}

impl Label {
    pub(crate) fn of(label: &Value) -> Self {
        match label {
            Value::Number(number) => Self::Number(number.as_f64().unwrap_or(f64::NAN)),
            Value::Bool(flag) => Self::Number(f64::from(u8::from(*flag))),
            Value::String(text) => Self::Name(text.as_str().into()),
            other => Self::Name(other.to_string().into()),
        }
    }

    /// As people read it.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::Number(number) => number.to_string(),
            Self::Name(name) => name.to_string(),
        }
    }

    pub(crate) fn number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Name(name) => name.trim().parse().ok(),
        }
    }
}

/// How a prediction turned out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    Right,
    Wrong,
    /// No label came yet.
    Unlabeled,
    /// A label came that cannot be compared with a class.
    NotJudged,
}

/// `label` against the predicted class.
pub(crate) fn outcome(label: &Label, class: u32, model: &Model) -> Outcome {
    match is_class(label, class, model) {
        Some(true) => Outcome::Right,
        Some(false) => Outcome::Wrong,
        None => Outcome::NotJudged,
    }
}

/// Whether a label says that this class is true: by its name where it is one, else by its index. `None` where it cannot be compared.
pub(crate) fn is_class(label: &Label, class: u32, model: &Model) -> Option<bool> {
    if class == NONE {
        return None;
    }
    let shown = label.shown();
    if model.judges_by_name(&shown) {
        // An index would say something else.
        return model.told_name(class).map(|name| name == shown);
    }
    match label.number() {
        Some(number) => Some(number == f64::from(class)),
        // Of one output's two classes one or none has a name in the log: any other name says nothing.
        None => (!model.single_output).then_some(false),
    }
}

/// The explained output.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    pub(crate) target: u32,
    pub(crate) value: f64,
    /// The space of the model's outputs, where it is known.
    pub(crate) space: Option<Space>,
}

/// How to read a model's outputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Space {
    Margin,
    Probability,
    LogProbability,
    Value,
}

impl Space {
    fn named(name: &str) -> Option<Self> {
        match name {
            "margin" | "log_odds" => Some(Self::Margin),
            "probability" => Some(Self::Probability),
            "log_probability" => Some(Self::LogProbability),
            "value" => Some(Self::Value),
            _ => None,
        }
    }
}

pub(crate) fn output_of(record: &Record, explained: Option<&Explained>) -> Output {
    let target = explained.and_then(|it| it.target).map_or(NONE, |target| target as u32);
    let at_target = record.prediction.get(target as usize).copied();
    let value = explained.and_then(|it| it.output).or(at_target).unwrap_or(f64::NAN);
    let space = record.parameters.get("output_space").and_then(Value::as_str);
    let space = space.or(explained.and_then(|it| it.output_space.as_deref())).and_then(Space::named);
    // The space is that of the explained output. The model's own outputs are in it where the numbers are the same.
    let same = at_target.is_some_and(|own| (own - value).abs() <= 1e-5 * own.abs().max(1.0));
    Output { target, value, space: space.filter(|space| same || *space == Space::Value) }
}

/// What the outputs say.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Predicted {
    /// [`NONE`] for numbers.
    pub(crate) class: u32,
    /// The probability of the class; NaN for numbers.
    pub(crate) confidence: f64,
}

/// What outputs say in each space that they may be in: what is kept of them until their space is known.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Readings {
    margin: Predicted,
    probability: Predicted,
    log_probability: Predicted,
    /// Whether they could be probabilities.
    pub(crate) within: bool,
}

impl Readings {
    pub(crate) fn of(outputs: &[f64]) -> Self {
        Self {
            margin: predicted(outputs, Space::Margin),
            probability: predicted(outputs, Space::Probability),
            log_probability: predicted(outputs, Space::LogProbability),
            within: outputs.iter().all(|x| (0.0..=1.0).contains(x)),
        }
    }

    pub(crate) fn in_space(&self, space: Space) -> Predicted {
        match space {
            Space::Margin => self.margin,
            Space::Probability => self.probability,
            Space::LogProbability => self.log_probability,
            Space::Value => Predicted { class: NONE, confidence: f64::NAN },
        }
    }
}

/// The predicted class and its probability.
fn predicted(outputs: &[f64], space: Space) -> Predicted {
    let none = Predicted { class: NONE, confidence: f64::NAN };
    match (outputs, space) {
        ([], _) | (_, Space::Value) => none,
        ([one], _) => {
            let probability = match space {
                Space::Margin => 1.0 / (1.0 + (-one).exp()),
                Space::LogProbability => one.exp(),
                _ => *one,
            };
            let class = u32::from(probability > 0.5);
            Predicted { class, confidence: probability.max(1.0 - probability) }
        }
        _ => {
            let mut class = 0;
            for (index, value) in outputs.iter().enumerate() {
                class = if *value > outputs[class] { index } else { class };
            }
            let highest = outputs[class];
            let confidence = match space {
                Space::Margin => 1.0 / outputs.iter().map(|x| (x - highest).exp()).sum::<f64>(),
                Space::LogProbability => highest.exp(),
                _ => highest,
            };
            Predicted { class: class as u32, confidence }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(outputs: &[f64], space: Space, class: u32, confidence: f64) {
        let found = Readings::of(outputs).in_space(space);
        assert_eq!(found.class, class, "{outputs:?}");
        assert!((found.confidence - confidence).abs() < 1e-12, "{outputs:?}: {found:?}");
    }

    #[test]
    fn outputs_become_class_and_confidence() {
        check(&[0.2, 0.7, 0.1], Space::Probability, 1, 0.7);
        check(&[0.0, 3_f64.ln()], Space::Margin, 1, 0.75);
        check(&[-2.0, 3.0], Space::Margin, 1, 1.0 / (1.0 + (-5_f64).exp()));
        check(&[0.25_f64.ln(), 0.75_f64.ln()], Space::LogProbability, 1, 0.75);
        check(&[0.9], Space::Probability, 1, 0.9);
        check(&[0.4], Space::Probability, 0, 0.6);
        check(&[0.5], Space::Probability, 0, 0.5);
        // A margin that could pass for a probability.
        check(&[0.4], Space::Margin, 1, 1.0 / (1.0 + (-0.4_f64).exp()));
        assert_eq!(Readings::of(&[7.0]).in_space(Space::Value).class, NONE);
        assert_eq!(Readings::of(&[]).in_space(Space::Probability).class, NONE);
    }

    fn judged(label: Value, class: u32, single_output: bool, classes: &[Option<&str>]) -> Outcome {
        let n_outputs = if single_output { 1 } else { 2 };
        let digest = pellucid_store::Digest([0; 32]);
        let named = pellucid_store::RecordedModel { name: String::new(), version: String::new(), digest };
        let mut record = Record::new("p", 0, named, "m");
        record.prediction = vec![0.0; n_outputs];
        let mut model = Model::of(&record);
        let named = |(index, name): (usize, &Option<&str>)| Some((index, (*name)?.to_owned()));
        let classes = classes.iter().enumerate().filter_map(named).collect();
        model.learn(&Explained { classes, ..Explained::default() });
        outcome(&Label::of(&label), class, &model)
    }

    #[test]
    fn labels_are_names_or_indices() {
        let animals = [Some("cat"), Some("dog")];
        assert_eq!(judged("dog".into(), 1, false, &animals), Outcome::Right);
        assert_eq!(judged(1.into(), 1, false, &animals), Outcome::Right);
        assert_eq!(judged("1".into(), 1, false, &animals), Outcome::Right);
        assert_eq!(judged("cat".into(), 1, false, &animals), Outcome::Wrong);
        assert_eq!(judged("bird".into(), 1, false, &animals), Outcome::Wrong);
        assert_eq!(judged(3.5.into(), NONE, false, &[]), Outcome::NotJudged);
    }

    /// A class that is called `0` is not class 0: where numbers are names, no index is meant.
    #[test]
    fn numbers_that_are_names_are_no_indices() {
        let turned = [Some("1"), Some("0")];
        assert_eq!(judged(1.into(), 0, false, &turned), Outcome::Right);
        assert_eq!(judged("1".into(), 1, false, &turned), Outcome::Wrong);
        // Counted from 1, and class 0 has not been named yet.
        let from_one = [None, Some("2"), Some("3")];
        assert_eq!(judged(1.into(), 1, false, &from_one), Outcome::Wrong);
        assert_eq!(judged(2.into(), 1, false, &from_one), Outcome::Right);
        // Names that are indices are both.
        let digits = [Some("0"), Some("1")];
        assert_eq!(judged(1.into(), 1, false, &digits), Outcome::Right);
        assert_eq!(judged("0".into(), 1, false, &digits), Outcome::Wrong);
    }

    #[test]
    fn one_output_decides_between_two_classes() {
        let income = [Some("income above 50,000")];
        assert_eq!(judged(true.into(), 1, true, &income), Outcome::Right);
        assert_eq!(judged(0.into(), 1, true, &income), Outcome::Wrong);
        assert_eq!(judged("income above 50,000".into(), 1, true, &income), Outcome::Right);
        assert_eq!(judged("income above 50,000".into(), 0, true, &income), Outcome::Wrong);
        assert_eq!(judged("repaid".into(), 0, true, &income), Outcome::NotJudged);
    }
}
