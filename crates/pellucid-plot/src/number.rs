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

/// How to write numbers that stand side by side: with equally many decimals, so that they can be compared and added up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Digits {
    decimals: usize,
    scientific: bool,
}

/// From this size on, whole numbers are longer than anyone reads.
const LONGEST_WHOLE: f64 = 1e9;
/// So many decimals of a small number are still read rather than counted.
const MOST_DECIMALS: i32 = 5;

impl Digits {
    /// To the third digit of `span`, for numbers up to `largest`.
    pub(crate) fn of_span(span: f64, largest: f64) -> Self {
        Self::to_exponent(exponent(span) - 2, largest)
    }

    /// For multiples of `step`, up to `largest`.
    pub(crate) fn of_step(step: f64, largest: f64) -> Self {
        Self::to_exponent(exponent(step), largest)
    }

    fn to_exponent(last: i32, largest: f64) -> Self {
        let scientific = largest >= LONGEST_WHOLE || last < -MOST_DECIMALS && largest < 1.0;
        let decimals = if scientific { exponent(largest) - last } else { -last };
        // An f64 has no more than 16 digits to show.
        Self { decimals: decimals.clamp(0, 16) as usize, scientific }
    }

    /// `1 234.50`, `−0.02`, `1.20e−9`. What would look like zero, but is not, is written with digits of its own.
    pub(crate) fn write(self, value: f64) -> String {
        let decimals = self.decimals;
        if value == 0.0 {
            return "0".to_owned();
        }
        let text = match self.scientific {
            true => format!("{value:.decimals$e}"),
            false => format!("{value:.decimals$}"),
        };
        if !self.scientific && text.bytes().all(|byte| matches!(byte, b'0' | b'.' | b'-')) {
            return short_number(value);
        }
        grouped(&text).replace('-', "−")
    }

    /// As [`Digits::write`], but `< 0.001` for what is above zero and would look like it.
    pub(crate) fn write_size(self, size: f64) -> String {
        let last = 10_f64.powi(-(self.decimals as i32));
        if !self.scientific && size > 0.0 && size < last / 2.0 {
            return format!("<\u{2009}{}", self.write(last));
        }
        self.write(size)
    }

    /// As [`Digits::write`], with a plus sign for what is above zero.
    pub(crate) fn write_signed(self, value: f64) -> String {
        let sign = if value > 0.0 { "+" } else { "" };
        format!("{sign}{}", self.write(value))
    }
}

/// The power of ten at or below `size`; an exact power is not lost to rounding.
fn exponent(size: f64) -> i32 {
    (size.abs().max(f64::MIN_POSITIVE).log10() + 1e-9).floor() as i32
}

/// Whole digits in groups of three, apart by narrow spaces, from 10,000 on.
fn grouped(text: &str) -> String {
    let start = usize::from(text.starts_with('-'));
    let end = text.find(['.', 'e']).unwrap_or(text.len());
    if end - start < 5 {
        return text.to_owned();
    }
    let mut grouped = text[..start].to_owned();
    for (index, digit) in text[start..end].char_indices() {
        if index > 0 && (end - start - index).is_multiple_of(3) {
            grouped.push('\u{202f}');
        }
        grouped.push(digit);
    }
    grouped + &text[end..]
}

/// A count: `100 000`.
pub(crate) fn count(n: usize) -> String {
    grouped(&n.to_string())
}

/// `1 row`, `100 000 rows`.
pub fn rows(n: usize) -> String {
    if n == 1 { "1 row".to_owned() } else { format!("{} rows", count(n)) }
}

/// A feature's value as people know it: whole numbers whole, others to four digits.
pub(crate) fn feature_value(value: f64) -> String {
    if value.is_infinite() {
        return if value > 0.0 { "∞" } else { "−∞" }.to_owned();
    }
    if value.fract() == 0.0 && value.abs() < LONGEST_WHOLE {
        return grouped(&format!("{}", value + 0.0)).replace('-', "−");
    }
    let size = value.abs();
    if !(1e-3..LONGEST_WHOLE).contains(&size) {
        return short_number(value);
    }
    let decimals = (3 - exponent(size)).max(0) as usize;
    grouped(trimmed(&format!("{value:.decimals$}"))).replace('-', "−")
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
    fn numbers_side_by_side_have_equally_many_decimals() {
        for (span, largest, value, expected) in [
            (4.2, 3.0, 1.2, "1.20"),
            (4.2, 3.0, -0.034, "−0.03"),
            (4.2, 3.0, 0.0042, "0.0042"),
            (200_000.0, 400_000.0, 206_855.4, "206\u{202f}855"),
            (0.1, 1e6, 1e6, "1\u{202f}000\u{202f}000.000"),
            (1e-9, 2e-9, 1.23456e-9, "1.23e−9"),
            (1e300, 1e300, -1e299, "−1.00e299"),
            (1.0, 1.0, -0.0, "0"),
        ] {
            assert_eq!(Digits::of_span(span, largest).write(value), expected, "{value} in {span}");
        }
        assert_eq!(Digits::of_step(0.2, 1.0).write(0.6000000000000001), "0.6");
        assert_eq!(Digits::of_step(1e-5, 1e-4).write(3e-5), "0.00003");
        assert_eq!(Digits::of_span(2.0, 2.0).write_signed(0.5), "+0.50");
        assert_eq!(Digits::of_span(2.0, 2.0).write_size(0.0049), "<\u{2009}0.01");
        assert_eq!(Digits::of_span(2.0, 2.0).write_size(0.0), "0");
    }

    #[test]
    fn feature_values_read_as_in_the_table() {
        for (value, expected) in [
            (1169.0, "1169"),
            (-1490400.0, "−1\u{202f}490\u{202f}400"),
            (0.1 + 0.2, "0.3"),
            (23.456789, "23.46"),
            (12345.678, "12\u{202f}346"),
            (1e12, "1e12"),
            (1e-7, "1e−7"),
            (f64::NEG_INFINITY, "−∞"),
            (-0.0, "0"),
        ] {
            assert_eq!(feature_value(value), expected);
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
