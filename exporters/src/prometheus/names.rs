//! Metric and label names: from OpenTelemetry's to Prometheus'.
//!
//! The rules are those of OpenTelemetry's specification, "Prometheus and OpenMetrics Compatibility", as Prometheus itself implements them
//! for OTLP. Two details are ours: a suffix of several words is not added twice, and no attribute can become a reserved label.

use super::series::Kind;

/// UCUM units and their Prometheus words. Source: the table in the specification, and its SI rows that Prometheus knows.
const UNITS: [(&str, &str); 26] = [
    ("d", "days"),
    ("h", "hours"),
    ("min", "minutes"),
    ("s", "seconds"),
    ("ms", "milliseconds"),
    ("us", "microseconds"),
    ("ns", "nanoseconds"),
    ("By", "bytes"),
    ("KiBy", "kibibytes"),
    ("MiBy", "mebibytes"),
    ("GiBy", "gibibytes"),
    ("TiBy", "tibibytes"),
    ("kBy", "kilobytes"),
    ("KBy", "kilobytes"),
    ("MBy", "megabytes"),
    ("GBy", "gigabytes"),
    ("TBy", "terabytes"),
    ("m", "meters"),
    ("V", "volts"),
    ("A", "amperes"),
    ("J", "joules"),
    ("W", "watts"),
    ("g", "grams"),
    ("Cel", "celsius"),
    ("Hz", "hertz"),
    ("%", "percent"),
];

/// Words after `per`. `m` is a minute here.
const PER: [(&str, &str); 7] =
    [("s", "second"), ("m", "minute"), ("h", "hour"), ("d", "day"), ("w", "week"), ("mo", "month"), ("y", "year")];

/// How metric names are made.
#[derive(Debug, Clone, Copy)]
pub(super) struct MetricNames<'a> {
    pub(super) namespace: &'a str,
    pub(super) suffixes: bool,
}

impl MetricNames<'_> {
    /// The name of a metric; `None` if nothing of it is left but underscores.
    pub(super) fn build(self, name: &str, unit: &str, kind: Kind) -> Option<String> {
        let mut words = words(name, !self.suffixes);
        if self.suffixes {
            add_suffixes(&mut words, unit, kind);
        }
        if words.iter().all(|word| word.bytes().all(|byte| byte == b'_')) {
            return None;
        }
        Some(self.prefixed(&words.join("_")))
    }

    /// `name` behind the namespace.
    pub(super) fn prefixed(self, name: &str) -> String {
        let mut all = words(self.namespace, true);
        all.push(name.to_owned());
        let name = all.join("_");
        if name.starts_with(|first: char| first.is_ascii_digit()) { format!("_{name}") } else { name }
    }
}

/// The runs of characters that a metric name may have. An underscore is one of them only if `keep_underscores`: otherwise runs of it
/// collapse.
fn words(text: &str, keep_underscores: bool) -> Vec<String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == ':' || keep_underscores && c == '_';
    text.split(|c| !allowed(c)).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

fn add_suffixes(name: &mut Vec<String>, unit: &str, kind: Kind) {
    let (main, per) = unit.split_once('/').unwrap_or((unit, ""));
    append(name, unit_words(main, &UNITS));
    let mut per = unit_words(per, &PER);
    if !per.is_empty() {
        per.insert(0, "per".to_owned());
        append(name, per);
    }
    let last = match kind {
        Kind::Counter => "total",
        // Some senders give the unit 1 to counts of things, so only gauges are taken for ratios.
        Kind::Gauge if unit == "1" => "ratio",
        _ => return,
    };
    name.retain(|word| word != last);
    name.push(last.to_owned());
}

/// Appends a suffix unless the name has it: one word anywhere, several words at its end.
fn append(name: &mut Vec<String>, suffix: Vec<String>) {
    let present = match suffix.as_slice() {
        [word] => name.contains(word),
        words => name.ends_with(words),
    };
    if !present {
        name.extend(suffix);
    }
}

/// A unit without braces as words; `1` and annotations such as `{defer}` give none.
fn unit_words(unit: &str, table: &[(&str, &str)]) -> Vec<String> {
    let unit = unit.trim();
    if unit == "1" || unit.contains(['{', '}']) {
        return Vec::new();
    }
    words(table.iter().find(|(ucum, _)| *ucum == unit).map_or(unit, |(_, word)| word), false)
}

/// The name of a label: other characters become underscores, runs of which collapse; a name that would begin with a digit gets `key_`
/// in front, one that would begin with an underscore `key`. So no attribute becomes a reserved label such as `__name__`.
pub(crate) fn label_name(attribute: &str) -> String {
    let mut name = String::with_capacity(attribute.len() + 4);
    match attribute.bytes().next() {
        Some(first) if first.is_ascii_digit() => name.push_str("key_"),
        Some(first) if first.is_ascii_alphabetic() => {}
        _ => name.push_str("key"),
    }
    for c in attribute.chars() {
        if c.is_ascii_alphanumeric() {
            name.push(c);
        } else if !name.ends_with('_') {
            name.push('_');
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(name: &str, unit: &str, kind: Kind) -> Option<String> {
        MetricNames { namespace: "", suffixes: true }.build(name, unit, kind)
    }

    #[test]
    fn names_follow_the_specification() {
        let cases = [
            ("go.defer.pending", "{defer}", Kind::Gauge, "go_defer_pending"),
            ("go.defer.pending.memory", "By", Kind::Gauge, "go_defer_pending_memory_bytes"),
            ("go.defer.pending.growth", "{defer}/s", Kind::Gauge, "go_defer_pending_growth_per_second"),
            ("deferd.target.overhead", "1", Kind::Gauge, "deferd_target_overhead_ratio"),
            ("deferd.target.overhead", "1", Kind::UpDownCounter, "deferd_target_overhead"),
            ("requests", "1", Kind::Counter, "requests_total"),
            ("requests_total", "", Kind::Counter, "requests_total"),
            ("total.requests", "", Kind::Counter, "requests_total"),
            ("system.io", "By", Kind::Counter, "system_io_bytes_total"),
            ("bytes.sent", "By", Kind::Counter, "bytes_sent_total"),
            ("fan.speed", "rev/min", Kind::Gauge, "fan_speed_rev_per_min"),
            ("net", "By/s", Kind::Gauge, "net_bytes_per_second"),
            ("net_bytes_per_second", "By/s", Kind::Gauge, "net_bytes_per_second"),
            ("speed", "m/s", Kind::Gauge, "speed_meters_per_second"),
            ("a..b__c", "", Kind::Gauge, "a_b_c"),
            ("2xx", "", Kind::Gauge, "_2xx"),
            ("load", "%", Kind::Gauge, "load_percent"),
            ("x", "foo bar", Kind::Gauge, "x_foo_bar"),
            ("x", " s ", Kind::Histogram, "x_seconds"),
            ("rpc:latency", "ms", Kind::Summary, "rpc:latency_milliseconds"),
            ("gr\u{f6}\u{df}e", "", Kind::Gauge, "gr_e"),
        ];
        for (otel, unit, kind, expected) in cases {
            assert_eq!(name(otel, unit, kind).as_deref(), Some(expected), "{otel} in {unit:?}");
        }
        assert_eq!(name("@#$%", "", Kind::Gauge), None);
    }

    #[test]
    fn without_suffixes_only_characters_change() {
        let names = MetricNames { namespace: "", suffixes: false };
        assert_eq!(names.build("a.b__c", "By", Kind::Counter).unwrap(), "a_b__c");
        assert_eq!(names.build("__", "By", Kind::Counter), None);
    }

    #[test]
    fn the_namespace_stands_in_front() {
        let names = MetricNames { namespace: "my-app", suffixes: true };
        assert_eq!(names.build("2xx", "s", Kind::Gauge).unwrap(), "my_app_2xx_seconds");
        assert_eq!(names.prefixed("target_info"), "my_app_target_info");
    }

    #[test]
    fn labels_have_allowed_names() {
        let cases = [
            ("code.file.path", "code_file_path"),
            ("a..b__c", "a_b_c"),
            ("1st", "key_1st"),
            ("_x", "key_x"),
            ("__name__", "key_name_"),
            ("", "key"),
            ("\u{fc}", "key_"),
        ];
        for (attribute, expected) in cases {
            assert_eq!(label_name(attribute), expected);
        }
    }
}
