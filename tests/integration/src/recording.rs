//! What the `file` exporter wrote: metrics and events, as far as tests look at them.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

/// A point that holds a value.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// Id of the process that it is about; 0 if it is about none.
    pub process: u32,
    /// Name of the metric.
    pub metric: String,
    /// Attributes of the point, as text.
    pub attributes: BTreeMap<String, String>,
    /// Nanoseconds since 1970 at which counting began; 0 if nothing is said.
    pub start: u64,
    /// Nanoseconds since 1970 of which it holds.
    pub time: u64,
    /// Of a gauge or a sum; of a histogram the number of what was counted.
    pub value: f64,
}

/// A log record with the name of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Id of the process that it is about; 0 if it is about none.
    pub process: u32,
    /// Such as `go.panic`.
    pub name: String,
    /// Nanoseconds since 1970.
    pub time: u64,
    /// Its attributes, as text.
    pub attributes: BTreeMap<String, String>,
}

/// The file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Recording {
    /// All points with a value, in the order of the file.
    pub points: Vec<Point>,
    /// All events, in the order of the file.
    pub events: Vec<Event>,
}

impl Recording {
    /// Reads the file; one that is not there yet is empty.
    ///
    /// # Panics
    /// If a line is not what the exporter promises. The last may be unfinished.
    pub fn read(file: &Path) -> Self {
        let text = std::fs::read_to_string(file).unwrap_or_default();
        let whole = text.rfind('\n').map_or("", |end| text.get(..end).unwrap_or_default());
        Self::parse(whole)
    }

    fn parse(text: &str) -> Self {
        let mut recording = Self::default();
        for line in text.lines() {
            let request: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line:.200}"));
            for (process, metric) in below(&request, ["resourceMetrics", "scopeMetrics", "metrics"]) {
                recording.metric(process, metric);
            }
            for (process, record) in below(&request, ["resourceLogs", "scopeLogs", "logRecords"]) {
                recording.events.extend(event(process, record));
            }
        }
        recording
    }

    fn metric(&mut self, process: u32, metric: &Value) {
        let name = text(metric, "name");
        for (kind, value) in [("gauge", number as fn(&Value) -> Option<f64>), ("sum", number), ("histogram", count)] {
            for point in list(metric.get(kind), "dataPoints") {
                let Some(value) = value(point) else {
                    continue; // no value was recorded: the series ends
                };
                self.points.push(Point {
                    process,
                    metric: name.clone(),
                    attributes: attributes(point),
                    start: nanoseconds(point, "startTimeUnixNano"),
                    time: nanoseconds(point, "timeUnixNano"),
                    value,
                });
            }
        }
    }

    /// The points of one metric.
    pub fn of<'a>(&'a self, metric: &'a str) -> impl Iterator<Item = &'a Point> {
        self.points.iter().filter(move |point| point.metric == metric)
    }

    /// Only what is about one process.
    #[must_use]
    pub fn about(&self, process: u32) -> Self {
        Self {
            points: self.points.iter().filter(|point| point.process == process).cloned().collect(),
            events: self.events.iter().filter(|event| event.process == process).cloned().collect(),
        }
    }
}

fn event(process: u32, record: &Value) -> Option<Event> {
    let name = text(record, "eventName");
    let time = nanoseconds(record, "timeUnixNano");
    (!name.is_empty()).then(|| Event { process, name, time, attributes: attributes(record) })
}

/// Three lists deep, each with the process that its resource names.
fn below<'a>(value: &'a Value, keys: [&'static str; 3]) -> impl Iterator<Item = (u32, &'a Value)> {
    let [first, second, third] = keys;
    let all = list(Some(value), first).iter().flat_map(move |of| list(Some(of), second).iter().map(move |value| (of, value)));
    all.flat_map(move |(of, value)| {
        let process = of.get("resource").map(attributes).unwrap_or_default().remove("process.pid");
        let process = process.and_then(|pid| pid.parse().ok()).unwrap_or_default();
        list(Some(value), third).iter().map(move |value| (process, value))
    })
}

fn list<'a>(value: Option<&'a Value>, key: &str) -> &'a [Value] {
    value.and_then(|value| value.get(key)).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn text(value: &Value, key: &str) -> String {
    value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// 64-bit numbers are strings in OTLP's JSON.
fn nanoseconds(value: &Value, key: &str) -> u64 {
    value.get(key).and_then(|value| value.as_u64().or_else(|| value.as_str()?.parse().ok())).unwrap_or_default()
}

fn number(point: &Value) -> Option<f64> {
    let parsed = |value: &Value| value.as_f64().or_else(|| value.as_str()?.parse().ok());
    point.get("asDouble").or_else(|| point.get("asInt")).and_then(parsed)
}

fn count(point: &Value) -> Option<f64> {
    point.get("count").and_then(|value| value.as_f64().or_else(|| value.as_str()?.parse().ok()))
}

fn attributes(holder: &Value) -> BTreeMap<String, String> {
    let pairs = list(Some(holder), "attributes").iter();
    pairs.map(|pair| (text(pair, "key"), pair.get("value").map(scalar).unwrap_or_default())).collect()
}

/// The value of an attribute, whatever its type.
fn scalar(value: &Value) -> String {
    let inner = value.as_object().and_then(|object| object.values().next());
    inner.map_or_else(String::new, |inner| inner.as_str().map_or_else(|| inner.to_string(), str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_and_events_are_found_and_a_series_that_ends_is_left_out() {
        let text = r#"{"resourceMetrics":[{"scopeMetrics":[{"metrics":[
            {"name":"a","sum":{"dataPoints":[{"timeUnixNano":"7","startTimeUnixNano":"5","asInt":"3",
                "attributes":[{"key":"line","value":{"intValue":"42"}},{"key":"who","value":{"stringValue":"me"}}]},
                {"timeUnixNano":"8","flags":1}]}},
            {"name":"b","gauge":{"dataPoints":[{"timeUnixNano":"9","asDouble":1.5}]}}]}]}]}"#;
        let log = r#"{"resourceLogs":[{"resource":{"attributes":[{"key":"process.pid","value":{"intValue":"31"}}]},"scopeLogs":[{"logRecords":[{"timeUnixNano":"6","eventName":"go.panic",
            "attributes":[{"key":"go.panic.internal","value":{"boolValue":true}}]},{"body":{"stringValue":"no event"}}]}]}]}"#;
        let joined = [text.replace('\n', ""), log.replace('\n', "")].join("\n");
        let recording = Recording::parse(&joined);
        let [a, b] = recording.points.as_slice() else { panic!("{recording:?}") };
        assert_eq!((a.start, a.time, a.value), (5, 7, 3.0));
        assert_eq!((a.attributes["line"].as_str(), a.attributes["who"].as_str()), ("42", "me"));
        assert_eq!((b.metric.as_str(), b.value), ("b", 1.5));
        assert_eq!(recording.of("a").count(), 1);
        assert_eq!(recording.events.len(), 1);
        assert_eq!((recording.events[0].process, a.process), (31, 0));
        assert_eq!((recording.about(31).events.len(), recording.about(31).points.len()), (1, 0));
        assert_eq!(recording.events[0].attributes["go.panic.internal"], "true");
    }
}
