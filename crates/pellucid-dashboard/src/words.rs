//! An explanation in plain words.

use crate::index::Kind;

/// What is told.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Told<'a> {
    /// The predicted class and its probability.
    pub(crate) class: Option<&'a str>,
    pub(crate) confidence: Option<f64>,
    /// The explained output.
    pub(crate) output: Option<f64>,
    pub(crate) output_name: Option<&'a str>,
    pub(crate) output_space: Option<&'a str>,
    pub(crate) signed: bool,
    /// What had a part in it, each with its attribution, in any order.
    pub(crate) parts: &'a [(String, f64)],
    pub(crate) kind: Kind,
}

/// So many reasons for, and so many against.
const MAX_REASONS: usize = 3;
/// A part smaller than this share of the largest is no reason.
const SMALLEST_SHARE: f64 = 0.02;

/// A few sentences. Attributions speak of the model, not of causes, and so do they.
pub(crate) fn told(it: &Told<'_>) -> String {
    let sentences = [says(it), explained(it), reasons(it)];
    sentences.into_iter().filter(|sentence| !sentence.is_empty()).collect::<Vec<_>>().join(" ")
}

fn says(it: &Told<'_>) -> String {
    match (it.class, it.confidence, it.output) {
        (Some(class), Some(confidence), _) => {
            format!("The model says “{class}” with {}.", percent(confidence))
        }
        (_, _, Some(output)) => format!("The model says {}.", number(output)),
        _ => String::new(),
    }
}

/// Which output the reasons are for, where that is not the class that was told.
fn explained(it: &Told<'_>) -> String {
    other_output(it).map(|name| format!("What follows is about “{name}”.")).unwrap_or_default()
}

fn other_output<'a>(it: &Told<'a>) -> Option<&'a str> {
    it.output_name.filter(|name| it.class.is_some_and(|class| class != *name))
}

fn reasons(it: &Told<'_>) -> String {
    let mut parts: Vec<&(String, f64)> = it.parts.iter().filter(|(_, value)| value.is_finite()).collect();
    parts.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
    let least = SMALLEST_SHARE * parts.first().map_or(0.0, |(_, value)| value.abs());
    parts.retain(|(_, value)| value.abs() > least);
    if it.kind == Kind::Image {
        return "The heatmap shows which places the model reacts to.".to_owned();
    }
    if parts.is_empty() {
        return String::new();
    }
    if !it.signed {
        return format!("It reacts most to {}.", list(parts.into_iter().take(MAX_REASONS)));
    }
    let for_it = list(parts.iter().copied().filter(|(_, value)| *value > 0.0).take(MAX_REASONS));
    let against = list(parts.iter().copied().filter(|(_, value)| *value < 0.0).take(MAX_REASONS));
    let unit = it.output_space.map(unit).filter(|unit| !unit.is_empty());
    let unit = unit.map(|unit| format!(" Numbers are in {unit}.")).unwrap_or_default();
    // What speaks for another output is no reason for the class.
    if other_output(it).is_some() {
        return match (for_it.is_empty(), against.is_empty()) {
            (false, true) => format!("For it: {for_it}; nothing speaks against it.{unit}"),
            (false, false) => format!("Against it: {against}; for it: {for_it}.{unit}"),
            (true, _) => format!("Against it: {against}; nothing speaks for it.{unit}"),
        };
    }
    match (for_it.is_empty(), against.is_empty()) {
        (false, true) => format!("Mostly because {for_it}; nothing speaks against it.{unit}"),
        (false, false) => format!("Mostly because {for_it}; against it: {against}.{unit}"),
        (true, _) => format!("Nothing speaks for it; against it: {against}.{unit}"),
    }
}

fn list<'a>(parts: impl Iterator<Item = &'a (String, f64)>) -> String {
    let said: Vec<String> = parts.map(|(what, value)| format!("{what} ({})", signed(*value))).collect();
    match said.as_slice() {
        [most @ .., last] if !most.is_empty() => format!("{} and {last}", most.join(", ")),
        _ => said.concat(),
    }
}

fn unit(space: &str) -> &'static str {
    match space {
        "probability" => "probability",
        "margin" => "the model's margin, before it becomes a probability",
        "log_odds" => "log-odds",
        "log_probability" => "log-probability",
        "log_loss" => "log loss",
        _ => "",
    }
}

/// An input's value as people read it.
pub(crate) fn shown(value: Option<f64>, categories: Option<&[String]>) -> String {
    match (value, categories) {
        (None, _) => "unknown".to_owned(),
        (Some(value), _) if value.is_nan() => "missing".to_owned(),
        (Some(value), Some(names)) if !names.is_empty() => {
            let whole = value >= 0.0 && value.fract() == 0.0;
            let name = whole.then(|| names.get(value as usize)).flatten();
            name.cloned().unwrap_or_else(|| number(value))
        }
        (Some(value), _) => number(value),
    }
}

fn percent(share: f64) -> String {
    // 100% would be a claim.
    let percent = (share * 100.0).round();
    if percent >= 100.0 && share < 1.0 { "more than 99%".to_owned() } else { format!("{percent}%") }
}

/// Whole numbers as they are, others to four digits.
pub(crate) fn number(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < 1e15 {
        return format!("{value}");
    }
    if value.abs() >= 1e15 || value.abs() < 1e-4 {
        return format!("{value:.3e}");
    }
    let digits = (3 - value.abs().log10().floor() as i32).clamp(0, 9) as usize;
    let text = format!("{value:.digits$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

fn signed(value: f64) -> String {
    let size = value.abs();
    // Two digits behind the point, or the first two that are not 0.
    let digits = if size > 0.0 && size < 0.1 { (1 - size.log10().floor() as i32).clamp(2, 9) } else { 2 };
    let scale = 10_f64.powi(digits);
    let size = number((size * scale).round() / scale);
    if value < 0.0 { format!("−{size}") } else { format!("+{size}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Told<'_> = Told {
        class: Some("good credit"),
        confidence: Some(0.871),
        output: Some(1.9),
        output_name: None,
        output_space: Some("log_odds"),
        signed: true,
        parts: &[],
        kind: Kind::Table,
    };

    #[test]
    fn reasons_stand_for_and_against() {
        let part = |what: &str, value| (what.to_owned(), value);
        let parts = [
            part("sex is F", 0.0),
            part("age is 52", 0.31),
            part("hours is 20", -0.125),
            part("job is clerk", 0.2),
            part("zip is 5", 0.000_1),
        ];
        let found = told(&Told { parts: &parts, ..PLAIN });
        let expected = "The model says “good credit” with 87%. Mostly because age is 52 (+0.31) and job is clerk (+0.2); \
                        against it: hours is 20 (−0.13). Numbers are in log-odds.";
        assert_eq!(found, expected);
        let other = told(&Told { parts: &parts, output_name: Some("bad credit"), ..PLAIN });
        assert!(
            other.contains(
                "about “bad credit”. Against it: hours is 20 (−0.13); for it: age is 52 (+0.31) and job"
            ),
            "{other}"
        );
        let unsigned = told(&Told { parts: &parts, signed: false, output_name: Some("bad credit"), ..PLAIN });
        assert!(
            unsigned.contains("What follows is about “bad credit”. It reacts most to age is 52 (+0.31),"),
            "{unsigned}"
        );
        let regression = Told { class: None, confidence: None, output_space: Some("value"), ..PLAIN };
        assert_eq!(told(&regression), "The model says 1.9.");
        assert_eq!(
            told(&Told { confidence: Some(0.999_9), ..PLAIN }),
            "The model says “good credit” with more than 99%."
        );
    }

    #[test]
    fn numbers_are_read_by_people() {
        let cases = [
            (52.0, "52"),
            (0.123_456, "0.1235"),
            (1234.5, "1234"),
            (1e-7, "1.000e-7"),
            (-2.5, "-2.5"),
            (0.1, "0.1"),
        ];
        for (value, expected) in cases {
            assert_eq!(number(value), expected);
        }
        let names = ["F".to_owned(), "M".to_owned()];
        assert_eq!(shown(Some(1.0), Some(&names)), "M");
        assert_eq!(shown(Some(7.0), Some(&names)), "7");
        assert_eq!(shown(Some(f64::NAN), Some(&names)), "missing");
        assert_eq!(shown(Some(7.5), Some(&[])), "7.5");
    }
}
