//! What a scrape of the `prometheus` exporter says about defer sites: the demonstration shows what Prometheus would get.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A site as it was exported.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Finding {
    /// Function with the `defer` statement.
    pub(super) function: String,
    /// File name without its folder, and line.
    pub(super) place: String,
    /// What will be called.
    pub(super) callee: String,
    /// Deferred calls pending.
    pub(super) pending: f64,
    /// Per second; `None` before the second look.
    pub(super) growth: Option<f64>,
    /// Bytes of heap.
    pub(super) memory: f64,
    /// When it was looked at, to the millisecond below.
    pub(super) taken: SystemTime,
}

/// An alert as it was exported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Alert {
    /// Its rule.
    pub(super) name: String,
    /// How bad it is.
    pub(super) severity: String,
    /// File name without its folder, and line.
    pub(super) place: String,
    /// Whether it fires; otherwise it was resolved.
    pub(super) firing: bool,
}

/// One line of the exposition format.
#[derive(Debug, PartialEq)]
struct Sample {
    name: String,
    labels: Labels,
    value: f64,
    timestamp: Option<u64>,
}

type Labels = BTreeMap<String, String>;

/// Kinds of site that can hold without bound; of the others every function that runs has some.
const GROWING: [&str; 2] = ["heap", "rangefunc"];

/// Of the sites that can grow the one with the most pending calls. `None` as long as there is none, or its samples have no
/// timestamp.
pub(super) fn worst(text: &str) -> Option<Finding> {
    let samples: Vec<Sample> = text.lines().filter_map(sample).collect();
    let pending = samples.iter().filter(|sample| sample.name == "go_defer_pending" && can_grow(&sample.labels));
    let worst = pending.max_by(|one, other| one.value.total_cmp(&other.value))?;
    let same_site = |prefix: &str| {
        let fits = |sample: &&Sample| sample.name.starts_with(prefix) && sample.labels == worst.labels;
        samples.iter().find(fits).map(|sample| sample.value)
    };
    let label = |key: &str| worst.labels.get(key).cloned().unwrap_or_default();
    Some(Finding {
        function: label("code_function_name"),
        place: place(&worst.labels),
        callee: label("go_defer_callee"),
        pending: worst.value,
        growth: same_site("go_defer_pending_growth"),
        memory: same_site("go_defer_pending_memory").unwrap_or_default(),
        taken: UNIX_EPOCH.checked_add(Duration::from_millis(worst.timestamp?))?,
    })
}

/// The alert of this name, if there is one; one that fires before one that does not.
pub(super) fn alert(text: &str, name: &str) -> Option<Alert> {
    let samples = text.lines().filter_map(sample);
    let named = |sample: &Sample| sample.labels.get("alert_name").is_some_and(|label| label == name);
    let alerts = samples.filter(|sample| sample.name == "deferd_alert_active" && named(sample));
    let worst = alerts.max_by(|one, other| one.value.total_cmp(&other.value))?;
    Some(Alert {
        name: name.to_owned(),
        severity: worst.labels.get("alert_severity").cloned().unwrap_or_default(),
        place: place(&worst.labels),
        firing: worst.value > 0.0,
    })
}

/// File name without its folder, and line.
fn place(labels: &Labels) -> String {
    let label = |key: &str| labels.get(key).map_or("", String::as_str);
    let file = label("code_file_path");
    format!("{}:{}", file.rsplit('/').next().unwrap_or(file), label("code_line_number"))
}

fn can_grow(labels: &Labels) -> bool {
    labels.get("go_defer_kind").is_some_and(|kind| GROWING.contains(&kind.as_str()))
}

/// Reads `name{label="value",...} value timestamp`. Comments and what is no sample give nothing.
fn sample(line: &str) -> Option<Sample> {
    if line.starts_with('#') {
        return None;
    }
    let end = line.find(['{', ' '])?;
    let (name, rest) = line.split_at_checked(end)?;
    let (labels, rest) = match rest.strip_prefix('{') {
        Some(rest) => labels(rest)?,
        None => (Labels::new(), rest),
    };
    let mut numbers = rest.split_whitespace();
    Some(Sample {
        name: name.to_owned(),
        labels,
        value: numbers.next()?.parse().ok()?,
        timestamp: numbers.next().and_then(|text| text.parse().ok()),
    })
}

/// Reads labels up to the closing brace, and returns what follows it.
fn labels(text: &str) -> Option<(Labels, &str)> {
    let mut labels = Labels::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches(',');
        if let Some(after) = rest.strip_prefix('}') {
            return Some((labels, after));
        }
        let (key, quoted) = rest.split_once("=\"")?;
        let (value, after) = quoted_value(quoted)?;
        labels.insert(key.to_owned(), value);
        rest = after;
    }
}

/// Reads an escaped value up to its closing quote, and returns what follows that.
fn quoted_value(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((value, text.get(at.checked_add(1)?..)?)),
            '\\' => match characters.next()?.1 {
                'n' => value.push('\n'),
                other => value.push(other),
            },
            other => value.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const SITE: &str = r#"code_file_path="/x/main.go",code_function_name="main.ship",code_line_number="33",go_defer_callee="os.(*File).Close",go_defer_kind="heap""#;

    #[test]
    fn the_worst_site_is_put_together_from_its_metrics() {
        let text = format!(
            "# TYPE go_defer_pending gauge\ngo_defer_pending{{go_defer_kind=\"open_coded\"}} 900 1500\ngo_defer_pending{{{SITE}}} 203 1500\n\
             go_defer_pending_growth{{{SITE}}} 40.5 1500\ngo_defer_pending_memory_bytes{{{SITE}}} 12992 1500\n"
        );
        let expected = Finding {
            function: "main.ship".into(),
            place: "main.go:33".into(),
            callee: "os.(*File).Close".into(),
            pending: 203.0,
            growth: Some(40.5),
            memory: 12_992.0,
            taken: UNIX_EPOCH + Duration::from_millis(1_500),
        };
        assert_eq!(worst(&text), Some(expected));
    }

    #[test]
    fn an_alert_that_fires_comes_before_one_that_ended() {
        let line = |severity: &str, value| {
            format!("deferd_alert_active{{alert_name=\"A\",alert_severity=\"{severity}\",{SITE}}} {value} 1500\n")
        };
        let firing = alert(&(line("high", 0) + &line("critical", 1)), "A").unwrap();
        assert_eq!((firing.severity.as_str(), firing.place.as_str(), firing.firing), ("critical", "main.go:33", true));
        assert_eq!(alert(&line("high", 0), "A").map(|alert| alert.firing), Some(false));
        assert_eq!(alert(&line("high", 0), "B"), None);
    }

    #[test]
    fn labels_may_hold_anything() {
        let read = sample(r#"m{a="x\"},\\\n",b=""} 2"#).unwrap();
        assert_eq!(read.labels, Labels::from([("a".into(), "x\"},\\\n".into()), ("b".into(), String::new())]));
        assert_eq!((read.value, read.timestamp), (2.0, None));
        for broken in ["", "m", "m{", "m{a=\"", "m{a=\"\\", "m{a} 1", "# HELP m x", "m{} x"] {
            assert_eq!(sample(broken), None, "{broken}");
        }
    }
}
