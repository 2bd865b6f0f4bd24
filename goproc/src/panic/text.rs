//! Numbers and texts as Go writes them.

use std::borrow::Cow;

/// `%v` of a floating-point number: the shortest digits that read back as the
/// same number, with an exponent below 1e-4 and from 1e21 on.
pub(super) fn float(value: f64, shortest: &str, scientific: &str) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    let magnitude = value.abs();
    if magnitude == 0.0 || (1e-4..1e21).contains(&magnitude) {
        return shortest.to_owned();
    }
    // Rust writes 1e21 and 1e-5, Go at least two digits and the sign.
    let Some((digits, exponent)) = scientific.split_once('e') else {
        return scientific.to_owned();
    };
    let (sign, number) = exponent.strip_prefix('-').map_or(('+', exponent), |number| ('-', number));
    format!("{digits}e{sign}{number:0>2}")
}

/// `%v` of a `float64`.
pub(super) fn float64(value: f64) -> String {
    float(value, &value.to_string(), &format!("{value:e}"))
}

/// `%v` of a `float32`.
pub(super) fn float32(value: f32) -> String {
    float(f64::from(value), &value.to_string(), &format!("{value:e}"))
}

/// Text that need not be UTF-8. Of a text that was cut, half a character at
/// the end is left out.
pub(super) fn lossy(bytes: &[u8], cut: bool) -> Cow<'_, str> {
    let whole = match std::str::from_utf8(bytes) {
        // No length: the bytes end inside a character.
        Err(error) if cut && error.error_len().is_none() => bytes.get(..error.valid_up_to()).unwrap_or(bytes),
        _ => bytes,
    };
    String::from_utf8_lossy(whole)
}

/// The text of an error number as package syscall has it: that of the C
/// library, in lower case.
pub(super) fn errno(number: u64) -> String {
    let known = i32::try_from(number).ok().map(nix::errno::Errno::from_raw);
    match known.filter(|errno| *errno != nix::errno::Errno::UnknownErrno) {
        Some(errno) => {
            let text = errno.desc();
            let mut letters = text.chars();
            // Words that are written large as a whole stay so.
            let lower = text.chars().nth(1).is_none_or(|second| !second.is_uppercase());
            match letters.next() {
                Some(first) if lower => first.to_lowercase().chain(letters).collect(),
                _ => text.to_owned(),
            }
        }
        None => format!("errno {number}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_go_writes_them() {
        let cases = [
            (1.5, "1.5"),
            (0.0, "0"),
            (100.0, "100"),
            (1e20, "100000000000000000000"),
            (1e21, "1e+21"),
            (1.25e-5, "1.25e-05"),
            (-2.5e100, "-2.5e+100"),
            (f64::INFINITY, "+Inf"),
            (f64::NEG_INFINITY, "-Inf"),
            (f64::NAN, "NaN"),
        ];
        for (value, expected) in cases {
            assert_eq!(float64(value), expected);
        }
        assert_eq!(float32(0.1), "0.1", "and not the digits of the wider type");
    }

    #[test]
    fn half_a_character_at_a_cut_is_left_out() {
        let text = "a\u{e9}".as_bytes();
        assert_eq!(lossy(&text[..2], true), "a");
        assert_eq!(lossy(&text[..2], false), "a\u{fffd}");
        assert_eq!(lossy(b"a\xffb", true), "a\u{fffd}b");
    }

    #[test]
    fn error_numbers_have_the_words_of_package_syscall() {
        assert_eq!(errno(2), "no such file or directory");
        assert_eq!(errno(32), "broken pipe");
        assert_eq!(errno(99_999), "errno 99999");
        assert_eq!(errno(u64::MAX), format!("errno {}", u64::MAX));
    }
}
