//! A JSON value → the one text that RFC 8785 (JSON Canonicalization Scheme) gives it, and back.

use serde_json::{Number, Value};

use crate::error::Error;

/// Up to here every integer is a double. Beyond, JSON readers differ in what they make of the others.
const MAX_INTEGER: u64 = 1 << 53;

/// The one text that RFC 8785 gives a JSON value: what is hashed, where two parties are to get the same hash.
///
/// ```
/// let text = pellucid_store::canonical_json(&serde_json::json!({ "b": 1.0, "a": [] }))?;
/// assert_eq!(text, r#"{"a":[],"b":1}"#);
/// # Ok::<(), pellucid_store::Error>(())
/// ```
///
/// # Errors
/// [`Error::Refused`] where a number has no canonical form.
pub fn canonical_json(value: &Value) -> Result<String, Error> {
    write(value).map_err(|reason| Error::refused("JSON", reason))
}

/// The canonical text of a value.
///
/// # Errors
/// Where a number has no canonical form.
pub(crate) fn write(value: &Value) -> Result<String, String> {
    let mut text = String::new();
    write_value(value, &mut text)?;
    Ok(text)
}

/// The value of a canonical text.
///
/// # Errors
/// What is no JSON, or JSON that is not canonical (other order, spaces, a key twice, a number written otherwise).
pub(crate) fn read(bytes: &[u8]) -> Result<Value, String> {
    let value: Value = serde_json::from_slice(bytes).map_err(|fault| format!("is no JSON: {fault}"))?;
    match write(&value)?.as_bytes() == bytes {
        true => Ok(value),
        false => Err("is not canonical JSON (RFC 8785)".to_owned()),
    }
}

fn write_value(value: &Value, text: &mut String) -> Result<(), String> {
    match value {
        Value::Null => text.push_str("null"),
        Value::Bool(true) => text.push_str("true"),
        Value::Bool(false) => text.push_str("false"),
        Value::Number(number) => text.push_str(&canonical_number(number)?),
        Value::String(string) => write_string(string, text),
        Value::Array(items) => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                write_value(item, text)?;
            }
            text.push(']');
        }
        Value::Object(members) => write_object(members, text)?,
    }
    Ok(())
}

/// Members in the order of their keys' UTF-16 code units, as the RFC wants.
fn write_object(members: &serde_json::Map<String, Value>, text: &mut String) -> Result<(), String> {
    let mut members: Vec<(&String, &Value)> = members.iter().collect();
    members.sort_by(|(one, _), (other, _)| one.encode_utf16().cmp(other.encode_utf16()));
    text.push('{');
    for (index, (key, value)) in members.into_iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        write_string(key, text);
        text.push(':');
        write_value(value, text)?;
    }
    text.push('}');
    Ok(())
}

fn write_string(string: &str, text: &mut String) {
    text.push('"');
    for character in string.chars() {
        match character {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\u{8}' => text.push_str("\\b"),
            '\t' => text.push_str("\\t"),
            '\n' => text.push_str("\\n"),
            '\u{c}' => text.push_str("\\f"),
            '\r' => text.push_str("\\r"),
            control if control < ' ' => text.push_str(&format!("\\u{:04x}", u32::from(control))),
            other => text.push(other),
        }
    }
    text.push('"');
}

fn canonical_number(number: &Number) -> Result<String, String> {
    let whole = number.as_u64().or_else(|| number.as_i64().map(i64::unsigned_abs));
    match whole {
        Some(whole) if whole > MAX_INTEGER => large_integer(number),
        Some(_) => Ok(number.to_string()),
        None => Ok(ecmascript_number(number)),
    }
}

/// A large double is written as an integer, and comes back as one: as good as any number if it is the text of its double.
fn large_integer(number: &Number) -> Result<String, String> {
    let text = number.to_string();
    match number.as_f64().and_then(Number::from_f64).map(|double| ecmascript_number(&double)) {
        Some(of_double) if of_double == text => Ok(text),
        _ => Err(format!(
            "holds the integer {text}, which is beyond 2^53 and not the text of a double: write it as a string"
        )),
    }
}

/// `Number::toString` of ECMAScript, section 6.1.6.1.20: the shortest digits that give the double back.
fn ecmascript_number(number: &Number) -> String {
    let shortest = number.to_string();
    let (digits, n) = digits_and_point(shortest.trim_start_matches('-'));
    if digits.is_empty() {
        return "0".to_owned();
    }
    let sign = if shortest.starts_with('-') { "-" } else { "" };
    let k = digits.len() as i32;
    let zeros = |count: i32| "0".repeat(count.unsigned_abs() as usize);
    let written = if k <= n && n <= 21 {
        format!("{digits}{}", zeros(n - k))
    } else if 0 < n && n <= 21 {
        let (whole, fraction) = digits.split_at(n as usize);
        format!("{whole}.{fraction}")
    } else if -6 < n && n <= 0 {
        format!("0.{}{digits}", zeros(n))
    } else {
        let point = if k > 1 { "." } else { "" };
        format!("{}{point}{}e{:+}", &digits[..1], &digits[1..], n - 1)
    };
    format!("{sign}{written}")
}

/// The digits of a decimal number, without zeros at either end, and how many of them stand before the point.
fn digits_and_point(decimal: &str) -> (String, i32) {
    let (mantissa, exponent) = decimal.split_once('e').unwrap_or((decimal, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = format!("{whole}{fraction}");
    let digits = all.trim_start_matches('0');
    let n = whole.len() as i32 + exponent.parse::<i32>().unwrap_or(0) - (all.len() - digits.len()) as i32;
    (digits.trim_end_matches('0').to_owned(), n)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Appendix B of the RFC, and the borders between the four ways to write a number.
    #[test]
    fn numbers_are_written_as_ecmascript_does() {
        let expected: [(u64, &str); 16] = [
            (0x0000_0000_0000_0000, "0"),
            (0x8000_0000_0000_0000, "0"),
            (0x0000_0000_0000_0001, "5e-324"),
            (0x7fef_ffff_ffff_ffff, "1.7976931348623157e+308"),
            (0x4340_0000_0000_0000, "9007199254740992"),
            (0x4430_0000_0000_0000, "295147905179352830000"),
            (0x44b5_2d02_c7e1_4af5, "9.999999999999997e+22"),
            (0x44b5_2d02_c7e1_4af6, "1e+23"),
            (0x444b_1ae4_d6e2_ef4e, "999999999999999700000"),
            (0x444b_1ae4_d6e2_ef50, "1e+21"),
            (0x3eb0_c6f7_a0b5_ed8c, "9.999999999999997e-7"),
            (0x3eb0_c6f7_a0b5_ed8d, "0.000001"),
            (0x41b3_de43_5555_5553, "333333333.3333332"),
            (0x41b3_de43_5555_5557, "333333333.33333343"),
            (0xbecb_f647_612f_3696, "-0.0000033333333333333333"),
            (0x4314_3ff3_c1cb_0959, "1424953923781206.2"),
        ];
        for (bits, text) in expected {
            let number = Number::from_f64(f64::from_bits(bits)).expect("finite");
            assert_eq!(ecmascript_number(&number), text);
        }
    }

    #[test]
    fn objects_are_sorted_and_strings_escaped_as_the_rfc_says() {
        let value =
            json!({ "\u{20ac}": "Euro", "\r": "CR", "\u{fb33}": 1, "1": [true, null], "\u{1f600}": 2.5 });
        let expected =
            "{\"\\r\":\"CR\",\"1\":[true,null],\"\u{20ac}\":\"Euro\",\"\u{1f600}\":2.5,\"\u{fb33}\":1}";
        assert_eq!(write(&value).expect("writable"), expected);
        assert_eq!(read(expected.as_bytes()).expect("canonical"), value);
        assert_eq!(write(&json!("\u{1}\"\\/\u{7f}")).expect("writable"), "\"\\u0001\\\"\\\\/\u{7f}\"");
    }

    /// They are written without point and exponent, so that JSON readers take them for integers.
    #[test]
    fn large_doubles_come_back_as_they_were() {
        let two = 2.0_f64;
        let expected = [
            (two.powi(53) + 2.0, "9007199254740994"),
            (1e17, "100000000000000000"),
            (-1e17, "-100000000000000000"),
            (two.powi(63), "9223372036854776000"),
            (-two.powi(63), "-9223372036854776000"),
            (two.powi(64), "18446744073709552000"),
            (1e20, "100000000000000000000"),
        ];
        for (double, text) in expected {
            assert_eq!(write(&json!(double)).as_deref(), Ok(text));
            let back = read(text.as_bytes()).expect("canonical");
            assert_eq!(back.as_f64(), Some(double));
            assert_eq!(write(&back).as_deref(), Ok(text));
        }
        for integer in [(1 << 53) + 1, 1 << 63, u64::MAX] {
            assert!(write(&json!(integer)).expect_err("no double's text").contains("write it as a string"));
            assert!(read(integer.to_string().as_bytes()).is_err());
        }
    }

    #[test]
    fn only_the_canonical_text_is_read() {
        for text in
            ["{ }", r#"{"b":1,"a":2}"#, r#"{"a":1,"a":1}"#, "1.0", "1e0", "-0", r#""\u0041""#, "[1,]", ""]
        {
            assert!(read(text.as_bytes()).is_err(), "{text}");
        }
        assert!(write(&json!(u64::MAX)).is_err());
    }
}
