//! The Prometheus text exposition format, version 0.0.4.

use std::fmt::Write as _;

/// The type shown in a `# TYPE` line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MetricKind {
    /// Grows only.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Cumulative buckets with sum and count.
    Histogram,
    /// Quantiles with sum and count.
    Summary,
}

impl MetricKind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
            Self::Summary => "summary",
        }
    }
}

/// Labels as they are written, for samples that share them. Equal sets in equal order are equal.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct LabelSet(String);

impl LabelSet {
    /// Writes labels. Escapes values; names are the caller's responsibility.
    pub fn new<'a>(labels: impl Iterator<Item = (&'a str, &'a str)>) -> Self {
        let mut set = Self::default();
        labels.for_each(|(name, value)| set.push(name, value));
        set
    }

    /// Adds a label.
    pub fn push(&mut self, name: &str, value: &str) {
        if !self.0.is_empty() {
            self.0.push(',');
        }
        self.0.push_str(name);
        self.0.push_str("=\"");
        escape_into(&mut self.0, value, true);
        self.0.push('"');
    }
}

/// Text being written. Escapes what must be escaped; names are the caller's responsibility.
#[derive(Debug, Default)]
pub struct Exposition {
    text: String,
}

impl Exposition {
    /// What a server says in `Content-Type`.
    pub const CONTENT_TYPE: &'static str = "text/plain; version=0.0.4; charset=utf-8";

    /// Empty text.
    pub fn new() -> Self {
        Self::default()
    }

    /// Begins a metric family.
    pub fn family(&mut self, name: &str, help: &str, kind: MetricKind) {
        self.text.push_str("# HELP ");
        self.text.push_str(name);
        self.text.push(' ');
        escape_into(&mut self.text, help, false);
        self.text.push_str("\n# TYPE ");
        self.text.push_str(name);
        self.text.push(' ');
        self.text.push_str(kind.as_str());
        self.text.push('\n');
    }

    /// Writes one sample; `timestamp` is in milliseconds since the epoch.
    pub fn sample<'a>(
        &mut self,
        name: &str,
        labels: impl Iterator<Item = (&'a str, &'a str)>,
        value: f64,
        timestamp: Option<i64>,
    ) {
        self.sample_of((name, ""), &LabelSet::new(labels), None, value, timestamp);
    }

    /// Writes one sample of a family that has several per label set: its name is `family` and `suffix` (`_bucket`, say), and `extra` is a
    /// further label.
    pub fn sample_of(
        &mut self,
        (family, suffix): (&str, &str),
        labels: &LabelSet,
        extra: Option<(&str, f64)>,
        value: f64,
        timestamp: Option<i64>,
    ) {
        self.text.push_str(family);
        self.text.push_str(suffix);
        if !labels.0.is_empty() || extra.is_some() {
            self.text.push('{');
            self.text.push_str(&labels.0);
            if let Some((key, value)) = extra {
                self.text.push_str(if labels.0.is_empty() { "" } else { "," });
                self.text.push_str(key);
                self.text.push_str("=\"");
                self.number(value);
                self.text.push('"');
            }
            self.text.push('}');
        }
        self.text.push(' ');
        self.number(value);
        if let Some(timestamp) = timestamp {
            // Writing to a String cannot fail.
            let _ = write!(self.text, " {timestamp}");
        }
        self.text.push('\n');
    }

    fn number(&mut self, value: f64) {
        if value.is_nan() {
            self.text.push_str("NaN");
        } else if value.is_infinite() {
            self.text.push_str(if value > 0.0 { "+Inf" } else { "-Inf" });
        } else {
            let _ = write!(self.text, "{value}");
        }
    }

    /// The text written so far.
    pub fn finish(self) -> String {
        self.text
    }
}

fn escape_into(text: &mut String, raw: &str, quotes: bool) {
    if !raw.bytes().any(|byte| matches!(byte, b'\\' | b'\n') || quotes && byte == b'"') {
        return text.push_str(raw);
    }
    for character in raw.chars() {
        match character {
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '"' if quotes => text.push_str("\\\""),
            other => text.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_and_labels_are_written_as_prometheus_reads_them() {
        let mut out = Exposition::new();
        out.family("m", "line one\nline \\two", MetricKind::Gauge);
        out.sample("m", [("file", "a\"b\\c\nd")].into_iter(), f64::NAN, Some(17));
        out.sample("m", std::iter::empty(), f64::NEG_INFINITY, None);
        out.sample("m", std::iter::empty(), 1_000_000.0, None);
        let expected =
            "# HELP m line one\\nline \\\\two\n# TYPE m gauge\nm{file=\"a\\\"b\\\\c\\nd\"} NaN 17\nm -Inf\nm 1000000\n";
        assert_eq!(out.finish(), expected);
    }
}
