//! Numbers and times as Go's `fmt` prints them, because the Collector's text is read by tools that expect exactly that.

use std::fmt;

/// A number as `%v` prints it: the shortest digits that read back the same, with an exponent below 1e-4 and from 1e21.
pub(super) struct Shortest(pub(super) f64);

/// A number as `%f` prints it: six decimals.
pub(super) struct Fixed(pub(super) f64);

/// Nanoseconds since the epoch as `time.Time` prints itself in UTC.
pub(super) struct Time(pub(super) u64);

/// Bytes of an id in hexadecimal. All zeros is what an absent id means, and prints nothing.
pub(super) struct Hex<'a>(pub(super) &'a [u8]);

fn special(value: f64) -> Option<&'static str> {
    match value {
        _ if value.is_nan() => Some("NaN"),
        f64::INFINITY => Some("+Inf"),
        f64::NEG_INFINITY => Some("-Inf"),
        _ => None,
    }
}

impl fmt::Display for Shortest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(text) = special(self.0) {
            return f.write_str(text);
        }
        let size = self.0.abs();
        if size == 0.0 || (1e-4..1e21).contains(&size) {
            return write!(f, "{}", self.0);
        }
        let text = format!("{:e}", self.0);
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |exponent| ('-', exponent));
        write!(f, "{digits}e{sign}{exponent:0>2}")
    }
}

impl fmt::Display for Fixed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match special(self.0) {
            Some(text) => f.write_str(text),
            None => write!(f, "{:.6}", self.0),
        }
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, nanos) = (self.0 / 1_000_000_000, self.0 % 1_000_000_000);
        let (days, second) = (seconds / 86_400, seconds % 86_400);
        let (year, month, day) = civil(days);
        write!(f, "{year:04}-{month:02}-{day:02} {:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60)?;
        if nanos > 0 {
            let fraction = format!("{nanos:09}");
            write!(f, ".{}", fraction.trim_end_matches('0'))?;
        }
        f.write_str(" +0000 UTC")
    }
}

/// Year, month and day of a day since 1970, in the proleptic Gregorian calendar. Years begin in March here, so that the leap day
/// is the last (Howard Hinnant, "chrono-compatible low-level date algorithms").
fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year_of_era + era * 400 + u64::from(month <= 2), month, day)
}

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.iter().all(|byte| *byte == 0) {
            return Ok(());
        }
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_go_prints_them() {
        let cases = [
            (0.0, "0", "0.000000"),
            (1.5, "1.5", "1.500000"),
            (0.000_05, "5e-05", "0.000050"),
            (1e21, "1e+21", "1000000000000000000000.000000"),
            (123_456_789.0, "123456789", "123456789.000000"),
            (-1.25e-300, "-1.25e-300", "-0.000000"),
            (f64::NAN, "NaN", "NaN"),
            (f64::INFINITY, "+Inf", "+Inf"),
        ];
        for (value, shortest, fixed) in cases {
            assert_eq!(Shortest(value).to_string(), shortest);
            assert_eq!(Fixed(value).to_string(), fixed);
        }
    }

    #[test]
    fn times_read_as_go_prints_them() {
        assert_eq!(Time(0).to_string(), "1970-01-01 00:00:00 +0000 UTC");
        assert_eq!(Time(1_581_452_773_000_000_789).to_string(), "2020-02-11 20:26:13.000000789 +0000 UTC");
        assert_eq!(Time(951_782_400_500_000_000).to_string(), "2000-02-29 00:00:00.5 +0000 UTC");
        assert_eq!(Time(u64::MAX).to_string(), "2554-07-21 23:34:33.709551615 +0000 UTC");
    }
}
