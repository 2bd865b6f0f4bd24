//! What a plain scalar means, as the Collector reads it.
//!
//! The Collector's YAML library (go-yaml v3) resolves most of YAML 1.2 and keeps from 1.1 what configurations use:
//! `0123` is octal, `1_000` is a number. `yes`, `no`, `on` and `off` are texts.

use crate::node::{Data, Number};

/// Resolves a plain scalar that carries no tag.
pub(crate) fn resolve(text: &str) -> Data {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Data::Null,
        "true" | "True" | "TRUE" => return Data::Bool(true),
        "false" | "False" | "FALSE" => return Data::Bool(false),
        ".nan" | ".NaN" | ".NAN" => return Data::Number(Number::Float(f64::NAN)),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => {
            return Data::Number(Number::Float(f64::INFINITY));
        }
        "-.inf" | "-.Inf" | "-.INF" => return Data::Number(Number::Float(f64::NEG_INFINITY)),
        _ => {}
    }
    number(text).map_or_else(|| Data::String(text.into()), Data::Number)
}

/// Reads a number: whole in base 2, 8, 10 or 16 as Go's `ParseInt(text, 0, 64)` does, else decimal floating point.
pub(crate) fn number(text: &str) -> Option<Number> {
    if !text.starts_with(|first: char| first.is_ascii_digit() || matches!(first, '+' | '-' | '.')) {
        return None;
    }
    let plain = text.replace('_', "");
    whole(&plain).or_else(|| if is_float(text) { plain.parse().ok().map(Number::Float) } else { None })
}

fn whole(text: &str) -> Option<Number> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (radix, digits) = match digits.get(..2) {
        Some("0x" | "0X") => (16, digits.get(2..)?),
        Some("0b" | "0B") => (2, digits.get(2..)?),
        Some("0o" | "0O") => (8, digits.get(2..)?),
        Some(two) if two.starts_with('0') => (8, digits.get(1..)?),
        _ => (10, digits),
    };
    // `from_str_radix` would take a second sign.
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_alphanumeric()) {
        return None;
    }
    let magnitude = u64::from_str_radix(digits, radix).ok()?;
    if negative {
        return 0_i64.checked_sub_unsigned(magnitude).map(Number::Int);
    }
    Some(i64::try_from(magnitude).map_or(Number::Uint(magnitude), Number::Int))
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`, go-yaml's rule, underscores let through.
fn is_float(text: &str) -> bool {
    let text = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent.strip_prefix(['-', '+']).unwrap_or(exponent))),
        None => (text, None),
    };
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit() || b == b'_');
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let starts_well = if whole.is_empty() {
        fraction.starts_with(|c: char| c.is_ascii_digit())
    } else {
        whole.starts_with(|c: char| c.is_ascii_digit())
    };
    starts_well && digits(whole) && digits(fraction) && exponent.is_none_or(|e| !e.is_empty() && digits(e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_are_read_in_four_bases() {
        for (text, value) in [
            ("83", 83),
            ("0123", 83),
            ("0o123", 83),
            ("0xdeadbeef", 3_735_928_559),
            ("0b101", 5),
            ("-0x10", -16),
            ("+7", 7),
            ("1_000", 1000),
            ("0", 0),
        ] {
            assert_eq!(resolve(text), Data::Number(Number::Int(value)), "{text}");
        }
        assert_eq!(resolve("18446744073709551615"), Data::Number(Number::Uint(u64::MAX)));
        assert_eq!(resolve("-9223372036854775808"), Data::Number(Number::Int(i64::MIN)));
    }

    #[test]
    fn what_is_no_whole_number_may_be_floating_point() {
        for (text, value) in [
            ("1.5", 1.5),
            (".5", 0.5),
            ("1.", 1.0),
            ("1e3", 1000.0),
            ("-2.5E-1", -0.25),
            ("08", 8.0),
            ("18446744073709551616", 18_446_744_073_709_551_616.0),
        ] {
            assert_eq!(resolve(text), Data::Number(Number::Float(value)), "{text}");
        }
    }

    #[test]
    fn what_is_neither_stays_text() {
        for text in [
            "yes",
            "no",
            "on",
            "off",
            "y",
            "0xzz",
            "1.2.3",
            "--1",
            "+-1",
            "-",
            "+",
            ".",
            "1e",
            "e3",
            "0x",
            "12h",
            "nan",
            "inf",
            "tRue",
            "2006-01-02",
            "0x-1",
            "\u{663}",
        ] {
            assert_eq!(resolve(text), Data::String(text.into()), "{text}");
        }
    }
}
