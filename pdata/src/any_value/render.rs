//! A value as one string, the way the Collector's `Value.AsString` gives it: what a label or a text field gets.
//!
//! Lists and maps become JSON as Go's `encoding/json` writes it: map keys sorted, the last of equal keys,
//! bytes in base64, `<`, `>` and `&` escaped. One difference: for a NaN or infinity inside a list or map the Collector gives up
//! the whole string, here it becomes the JSON string `"NaN"`, `"+Inf"` or `"-Inf"`.

use std::{borrow::Cow, collections::BTreeMap, fmt::Write as _};

use super::{AnyValue, Array, Map};
use crate::{text::Text, validate::MAX_DEPTH};

impl<'a> AnyValue<'a> {
    /// The value as text; borrowed if it is a UTF-8 text. Nesting beyond [`MAX_DEPTH`] values renders as `null`.
    pub fn to_text(&self) -> Cow<'a, str> {
        match *self {
            Self::Empty => Cow::Borrowed(""),
            Self::Str(text) => text.to_str_lossy(),
            Self::Bool(true) => Cow::Borrowed("true"),
            Self::Bool(false) => Cow::Borrowed("false"),
            Self::Int(value) => Cow::Owned(value.to_string()),
            Self::Double(value) => Cow::Owned(double(value)),
            Self::Bytes(bytes) => {
                let mut out = String::new();
                base64(&mut out, bytes);
                Cow::Owned(out)
            }
            Self::Array(_) | Self::Map(_) => {
                let mut out = String::new();
                json(&mut out, self, MAX_DEPTH);
                Cow::Owned(out)
            }
        }
    }
}

fn json(out: &mut String, value: &AnyValue<'_>, depth: usize) {
    match *value {
        AnyValue::Empty => out.push_str("null"),
        AnyValue::Str(text) => quoted(out, text),
        AnyValue::Double(value) if !value.is_finite() => {
            quoted(out, double(value).as_str().into());
        }
        AnyValue::Bool(_) | AnyValue::Int(_) | AnyValue::Double(_) => {
            out.push_str(&value.to_text());
        }
        AnyValue::Bytes(bytes) => {
            out.push('"');
            base64(out, bytes);
            out.push('"');
        }
        AnyValue::Array(_) | AnyValue::Map(_) if depth == 0 => out.push_str("null"),
        AnyValue::Array(values) => json_array(out, values, depth),
        AnyValue::Map(map) => json_map(out, map, depth),
    }
}

fn json_array(out: &mut String, values: Array<'_>, depth: usize) {
    out.push('[');
    for (index, value) in values.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        json(out, &value, depth - 1);
    }
    out.push(']');
}

fn json_map(out: &mut String, map: Map<'_>, depth: usize) {
    let sorted: BTreeMap<_, _> = map.entries().iter().collect();
    out.push('{');
    for (index, (key, value)) in sorted.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        quoted(out, *key);
        out.push(':');
        json(out, value, depth - 1);
    }
    out.push('}');
}

fn quoted(out: &mut String, text: Text<'_>) {
    out.push('"');
    for char in text.to_str_lossy().chars() {
        match char {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\0'..='\u{1f}' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                // Writing to a String cannot fail.
                let _ = write!(out, "\\u{:04x}", u32::from(char));
            }
            _ => out.push(char),
        }
    }
    out.push('"');
}

/// Shortest text that reads back the same, with an exponent where Go's `encoding/json` has one: below 1e-6 and from 1e21.
fn double(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    let size = value.abs();
    if size == 0.0 || (1e-6..1e21).contains(&size) {
        return value.to_string();
    }
    let text = format!("{value:e}");
    if size >= 1e21 { text.replace('e', "e+") } else { text }
}

/// Standard alphabet, padded (RFC 4648, section 4).
fn base64(out: &mut String, bytes: &[u8]) {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().zip([16, 8, 0]).fold(0_usize, |bits, (&byte, shift)| bits | usize::from(byte) << shift);
        for (position, shift) in [18, 12, 6, 0].into_iter().enumerate() {
            let digit = ALPHABET.get(bits >> shift & 63).copied();
            out.push(match digit {
                Some(digit) if position <= chunk.len() => char::from(digit),
                _ => '=',
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        build::{Value, encode_value},
        wire::View as _,
    };

    fn text(value: &Value<'_>) -> String {
        AnyValue::view(&encode_value(value)).to_text().into_owned()
    }

    #[test]
    fn scalars_render_as_the_collector_renders_them() {
        let cases: [(Value<'_>, &str); 14] = [
            (Value::Empty, ""),
            ("a\"b".into(), "a\"b"),
            (true.into(), "true"),
            (i64::MIN.into(), "-9223372036854775808"),
            (1.0.into(), "1"),
            (0.1.into(), "0.1"),
            (1e20.into(), "100000000000000000000"),
            (1e21.into(), "1e+21"),
            (1e-6.into(), "0.000001"),
            (1.5e-7.into(), "1.5e-7"),
            (f64::NAN.into(), "NaN"),
            (Value::Bytes(b"\xff"), "/w=="),
            (Value::Bytes(b"ab"), "YWI="),
            (Value::Bytes(b"abc"), "YWJj"),
        ];
        for (value, expected) in cases {
            assert_eq!(text(&value), expected, "{value:?}");
        }
    }

    #[test]
    fn a_map_renders_as_sorted_json_with_the_last_of_equal_keys() {
        let value = Value::Map(vec![
            ("z", Value::Array(vec![1.into(), Value::Empty, 2.5.into()])),
            ("a", "<\u{1}\n\">".into()),
            ("m", 1.into()),
            ("m", Value::Bytes(b"ab")),
            ("n", f64::NEG_INFINITY.into()),
        ]);
        assert_eq!(text(&value), r#"{"a":"\u003c\u0001\n\"\u003e","m":"YWI=","n":"-Inf","z":[1,null,2.5]}"#);
    }

    #[test]
    fn nesting_beyond_the_limit_ends_in_null() {
        let mut value = Value::Int(1);
        for _ in 0..=MAX_DEPTH {
            value = Value::Array(vec![value]);
        }
        let text = text(&value);
        assert_eq!(text.matches('[').count(), MAX_DEPTH);
        assert!(text.contains("null"), "{text}");
    }
}
