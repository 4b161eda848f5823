//! Numbers as people read them: three digits, a true minus sign.

/// `value` to three significant digits: `0.0123`, `−4.5`, `1.2e−5`.
pub(crate) fn short_number(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let size = value.abs();
    let text = if (1e-3..1e5).contains(&size) {
        let decimals = (2 - size.log10().floor() as i32).max(0) as usize;
        trimmed(&format!("{value:.decimals$}")).to_owned()
    } else {
        let scientific = format!("{value:.2e}");
        let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
        format!("{}e{exponent}", trimmed(digits))
    };
    text.replace('-', "−")
}

fn trimmed(digits: &str) -> &str {
    if digits.contains('.') { digits.trim_end_matches('0').trim_end_matches('.') } else { digits }
}

/// A probability as a percentage; the ends are kept for what is exactly 0 or 1.
pub(crate) fn percent(probability: f64) -> String {
    let text = match probability {
        p if p > 0.0 && p < 0.0005 => "< 0.1".to_owned(),
        p if (0.9995..1.0).contains(&p) => "> 99.9".to_owned(),
        p => format!("{:.1}", 100.0 * p),
    };
    format!("{text} %")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_three_digits() {
        for (value, expected) in [
            (0.0, "0"),
            (-0.0, "0"),
            (0.012345, "0.0123"),
            (-4.5, "−4.5"),
            (1.0, "1"),
            (99999.0, "99999"),
            (123456.0, "1.23e5"),
            (-0.000012, "−1.2e−5"),
            (0.9999, "1"),
            (f64::MIN_POSITIVE, "2.23e−308"),
        ] {
            assert_eq!(short_number(value), expected);
        }
    }

    #[test]
    fn only_certainty_reads_as_certainty() {
        for (probability, expected) in
            [(0.0, "0.0 %"), (0.00001, "< 0.1 %"), (0.391, "39.1 %"), (0.99999, "> 99.9 %"), (1.0, "100.0 %")]
        {
            assert_eq!(percent(probability), expected);
        }
    }
}
