//! The Prometheus text format, read as strictly as tests need: what it does not understand is a failure, not a gap.

use std::collections::{BTreeMap, BTreeSet};

/// One line of an exposition.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Metric name.
    pub name: String,
    /// Labels with their values unescaped.
    pub labels: BTreeMap<String, String>,
    /// The value.
    pub value: f64,
}

impl Sample {
    /// A label's value, empty if there is no such label: as Prometheus sees it.
    pub fn label(&self, name: &str) -> &str {
        self.labels.get(name).map_or("", String::as_str)
    }

    /// Whether all these labels have these values.
    pub fn has(&self, labels: &[(&str, &str)]) -> bool {
        labels.iter().all(|(name, value)| self.label(name) == *value)
    }
}

/// Everything that one scrape brought.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Exposition {
    samples: Vec<Sample>,
}

impl Exposition {
    /// Reads an exposition.
    ///
    /// # Panics
    /// On a line that is no sample and no comment, and on two samples of one series: Prometheus refuses those.
    pub fn parse(text: &str) -> Self {
        let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        let samples: Vec<Sample> = lines.map(|line| sample(line).unwrap_or_else(|| panic!("not a sample: {line:?}"))).collect();
        let mut seen = BTreeSet::new();
        for sample in &samples {
            assert!(seen.insert((&sample.name, &sample.labels)), "twice in one scrape: {sample:?}");
        }
        Self { samples }
    }

    /// The samples of a metric that have these labels.
    pub fn all(&self, name: &str, labels: &[(&str, &str)]) -> Vec<&Sample> {
        self.samples.iter().filter(|sample| sample.name == name && sample.has(labels)).collect()
    }

    /// The value of the one sample of a metric that has these labels; `None` if there is none.
    ///
    /// # Panics
    /// If there are several.
    pub fn value(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        match self.all(name, labels).as_slice() {
            [] => None,
            [one] => Some(one.value),
            several => panic!("{} samples of {name}{labels:?}: {several:?}", several.len()),
        }
    }

    /// The names of all metrics.
    pub fn names(&self) -> BTreeSet<&str> {
        self.samples.iter().map(|sample| sample.name.as_str()).collect()
    }
}

fn sample(line: &str) -> Option<Sample> {
    let end = line.find(['{', ' '])?;
    let (name, rest) = line.split_at_checked(end)?;
    let (labels, rest) = match rest.strip_prefix('{') {
        Some(rest) => labels(rest)?,
        None => (BTreeMap::new(), rest),
    };
    // A timestamp may follow the value.
    let value = rest.split_whitespace().next()?.parse().ok()?;
    Some(Sample { name: name.to_owned(), labels, value })
}

/// The labels after the brace, and what follows the closing one.
fn labels(mut rest: &str) -> Option<(BTreeMap<String, String>, &str)> {
    let mut labels = BTreeMap::new();
    loop {
        if let Some(after) = rest.strip_prefix('}') {
            return Some((labels, after));
        }
        let (name, after) = rest.split_once("=\"")?;
        let (value, after) = quoted(after)?;
        labels.insert(name.to_owned(), value);
        rest = after.strip_prefix(',').unwrap_or(after);
    }
}

/// The text up to the closing quote, unescaped, and what follows.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((value, text.get(at + 1..)?)),
            '\\' => value.push(match characters.next()?.1 {
                'n' => '\n',
                other => other,
            }),
            other => value.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_values_and_escapes_are_read() {
        let text = "# HELP a b\na{x=\"1\",y=\"q\\\"\\\\\\n}\"} 3 1700000000000\nb 4.5e3\n";
        let exposition = Exposition::parse(text);
        assert_eq!(exposition.value("a", &[("x", "1"), ("y", "q\"\\\n}")]), Some(3.0));
        assert_eq!(exposition.value("b", &[]), Some(4500.0));
        assert_eq!(exposition.value("c", &[]), None);
    }

    #[test]
    #[should_panic(expected = "twice in one scrape")]
    fn one_series_twice_is_a_failure() {
        Exposition::parse("a{x=\"1\"} 1\na{x=\"1\"} 2\n");
    }

    #[test]
    #[should_panic(expected = "not a sample")]
    fn a_line_that_is_no_sample_is_a_failure() {
        Exposition::parse("a{x=\"1} 1\n");
    }
}
