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

/// `label` against the predicted class: its name or its index.
pub(crate) fn outcome(label: &Label, class: u32, model: &Model) -> Outcome {
    if class == NONE {
        return Outcome::NotJudged;
    }
    let by_index = label.number().map(|number| number == f64::from(class));
    let by_name = match label {
        Label::Name(name) => model.class_name(class).map(|known| **name == known),
        Label::Number(_) => None,
    };
    // Of one output's two classes one or none has a name in the log: any other name says nothing.
    let unknown = model.single_output
        && label.number().is_none()
        && ![0, 1].iter().any(|&class| model.class_name(class).is_some_and(|known| label.shown() == known));
    match (by_index, by_name) {
        (Some(true), _) | (_, Some(true)) => Outcome::Right,
        _ if unknown => Outcome::NotJudged,
        _ => Outcome::Wrong,
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

/// The predicted class and its probability. Where the space is not known, numbers in `[0, 1]` are read as probabilities
/// and others as margins.
pub(crate) fn predicted(outputs: &[f64], space: Option<Space>) -> Predicted {
    let none = Predicted { class: NONE, confidence: f64::NAN };
    let within = outputs.iter().all(|x| (0.0..=1.0).contains(x));
    let space = space.unwrap_or(if within { Space::Probability } else { Space::Margin });
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

    fn check(outputs: &[f64], space: Option<Space>, class: u32, confidence: f64) {
        let found = predicted(outputs, space);
        assert_eq!(found.class, class, "{outputs:?}");
        assert!((found.confidence - confidence).abs() < 1e-12, "{outputs:?}: {found:?}");
    }

    #[test]
    fn outputs_become_class_and_confidence() {
        check(&[0.2, 0.7, 0.1], None, 1, 0.7);
        check(&[0.0, 3_f64.ln()], Some(Space::Margin), 1, 0.75);
        check(&[-2.0, 3.0], None, 1, 1.0 / (1.0 + (-5_f64).exp()));
        check(&[0.25_f64.ln(), 0.75_f64.ln()], Some(Space::LogProbability), 1, 0.75);
        check(&[0.9], None, 1, 0.9);
        check(&[0.4], None, 0, 0.6);
        check(&[0.5], None, 0, 0.5);
        // A margin that could pass for a probability.
        check(&[0.4], Some(Space::Margin), 1, 1.0 / (1.0 + (-0.4_f64).exp()));
        assert_eq!(predicted(&[7.0], Some(Space::Value)).class, NONE);
        assert_eq!(predicted(&[], None).class, NONE);
    }

    fn judged(label: Value, class: u32, single_output: bool, classes: &[Option<&str>]) -> Outcome {
        let classes = classes.iter().map(|name| name.map(str::to_owned)).collect();
        let model = Model {
            name: String::new(),
            version: String::new(),
            digest: String::new(),
            classes,
            single_output,
        };
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
