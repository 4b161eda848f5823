//! What a person writes for a target.

use pellucid_core::Target;

use crate::error::Error;

/// The target that `text` names:
///
/// | text | target |
/// |---|---|
/// | `top-1`, `top-5` | the highest outputs of each row |
/// | `281` | output 281, counted from 0 |
/// | `281-282` | output 281 less output 282 |
/// | `281:1,282:-0.5` | a weighted sum of outputs |
/// | `tabby`, `label:281-282` | the output with this label; `label:` where it looks like one of the above |
///
/// ```
/// use pellucid_core::Target;
/// use pellucid_engine::parse_target;
///
/// assert_eq!(parse_target("top-5")?, Target::Top(5));
/// assert_eq!(parse_target("3-1")?, Target::Weighted(vec![(3, 1.0), (1, -1.0)]));
/// assert_eq!(parse_target("tiger cat")?, Target::Label("tiger cat".into()));
/// # Ok::<(), pellucid_engine::Error>(())
/// ```
///
/// # Errors
/// An empty text; a weighted sum that is none.
pub fn parse_target(text: &str) -> Result<Target, Error> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Error::request("target", "is empty; write top-1, an index or a label"));
    }
    if let Some(label) = text.strip_prefix("label:") {
        return Ok(Target::Label(label.to_owned()));
    }
    if let Some(k) = text.strip_prefix("top-").and_then(|k| k.parse().ok()) {
        return Ok(Target::Top(k));
    }
    if let Ok(index) = text.parse() {
        return Ok(Target::Index(index));
    }
    if let Some((first, second)) = text.split_once('-')
        && let (Ok(first), Ok(second)) = (first.parse(), second.parse())
    {
        return Ok(Target::Weighted(vec![(first, 1.0), (second, -1.0)]));
    }
    match text.starts_with(|c: char| c.is_ascii_digit()) && text.contains(':') {
        true => weighted(text),
        false => Ok(Target::Label(text.to_owned())),
    }
}

fn weighted(text: &str) -> Result<Target, Error> {
    let term = |term: &str| {
        let (index, weight) = term.split_once(':')?;
        Some((index.trim().parse().ok()?, weight.trim().parse().ok()?))
    };
    let terms: Option<Vec<(usize, f64)>> = text.split(',').map(term).collect();
    terms.map(Target::Weighted).ok_or_else(|| {
        let reason = format!("`{text}` is no weighted sum; write INDEX:WEIGHT,INDEX:WEIGHT or label:NAME");
        Error::request("target", reason)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_told_apart() {
        let check =
            |text: &str, expected: Target| assert_eq!(parse_target(text).unwrap(), expected, "{text}");
        check("0", Target::Index(0));
        check("top-1", Target::Top(1));
        check("2:1, 5:-0.5", Target::Weighted(vec![(2, 1.0), (5, -0.5)]));
        check("top-hat", Target::Label("top-hat".into()));
        check("-3", Target::Label("-3".into()));
        check("label:7", Target::Label("7".into()));
        assert!(parse_target("2:x").is_err());
        assert!(parse_target(" ").is_err());
    }
}
