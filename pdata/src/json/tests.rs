use opentelemetry_proto::tonic::collector::{
    logs::v1::ExportLogsServiceRequest, metrics::v1::ExportMetricsServiceRequest, trace::v1::ExportTraceServiceRequest,
};
use proptest::prelude::*;
use prost::Message;
use serde_json::{Value, json};

use super::*;
use crate::{
    differential::{generated, tape},
    logs, metrics, traces,
    validate::{self, Utf8, schema},
};

/// A request of each signal with every kind of value, as the Collector's pdata v1.61.0 writes it: signal, protobuf in
/// hexadecimal, JSON.
const COLLECTOR: &str = include_str!("golden/collector.txt");

fn golden() -> impl Iterator<Item = (Request, Vec<u8>, &'static str)> {
    COLLECTOR.lines().map(|line| {
        let (signal, rest) = line.split_once(' ').unwrap();
        let (digits, json) = rest.split_once(' ').unwrap();
        let bytes = digits.as_bytes().chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap());
        let request = match signal {
            "metrics" => Request::Metrics,
            "logs" => Request::Logs,
            "traces" => Request::Traces,
            other => panic!("{other}"),
        };
        (request, bytes.collect(), json)
    })
}

/// What JSON cannot tell apart: numbers with and without a point, and absence from the default, which the Collector writes for ids,
/// messages and some numbers.
fn plain(value: Value) -> Option<Value> {
    Some(match value {
        Value::Object(object) => {
            Value::Object(object.into_iter().filter_map(|(key, value)| Some((key, plain(value)?))).collect())
        }
        Value::Array(values) => Value::Array(values.into_iter().map(|value| plain(value).unwrap_or(json!({}))).collect()),
        Value::Number(number) => json!(number.as_f64()),
        other => other,
    })
    .filter(|value| !matches!(value, Value::Null) && *value != json!({}) && *value != json!("") && *value != json!(0.0))
    .filter(|value| *value != json!("0"))
}

fn parsed(text: &str) -> Value {
    plain(serde_json::from_str(text).unwrap()).unwrap()
}

#[test]
fn what_the_collector_writes_is_what_we_write() {
    for (request, bytes, json) in golden() {
        assert_eq!(parsed(&encode(request, &bytes).unwrap()), parsed(json), "{request:?}");
    }
}

#[test]
fn what_the_collector_writes_is_read_to_the_same_meaning() {
    for (request, bytes, json) in golden() {
        let read = decode(request, json).unwrap();
        assert_eq!(decode_any(json), Ok((request, read.clone())));
        assert_eq!(parsed(&encode(request, &read).unwrap()), parsed(json), "{request:?}");
        match request {
            Request::Metrics => {
                validate::metrics(&read, Utf8::Require).unwrap();
                let (ours, theirs) = (
                    ExportMetricsServiceRequest::decode(read.clone()).unwrap(),
                    ExportMetricsServiceRequest::decode(bytes.as_slice()).unwrap(),
                );
                // As text, since one value is not a number.
                assert_eq!(format!("{ours:?}"), format!("{theirs:?}"));
                assert_eq!(metrics::count_points(&read), Ok(8));
            }
            Request::Logs => {
                validate::logs(&read, Utf8::Require).unwrap();
                let (ours, theirs) =
                    (ExportLogsServiceRequest::decode(read.clone()), ExportLogsServiceRequest::decode(bytes.as_slice()));
                assert_eq!(ours, theirs);
                assert_eq!(logs::count_records(&read), Ok(3));
            }
            Request::Traces => {
                validate::traces(&read, Utf8::Require).unwrap();
                let (ours, theirs) =
                    (ExportTraceServiceRequest::decode(read.clone()), ExportTraceServiceRequest::decode(bytes.as_slice()));
                assert_eq!(ours, theirs);
                assert_eq!(traces::count_spans(&read), Ok(1));
            }
        }
    }
}

/// The record of a request that consists of it.
fn record(fields: &str) -> Result<Bytes, JsonError> {
    decode(Request::Logs, &format!("{{\"resourceLogs\":[{{\"scopeLogs\":[{{\"logRecords\":[{fields}]}}]}}]}}"))
}

fn written(fields: &str) -> Value {
    let text = encode(Request::Logs, &record(fields).unwrap()).unwrap();
    let mut value: Value = serde_json::from_str(&text).unwrap();
    value["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0].take()
}

#[test]
fn what_a_person_may_write_is_read() {
    assert_eq!(written(r#"{"timeUnixNano": 5, "observedTimeUnixNano": "18446744073709551615"}"#)["timeUnixNano"], "5");
    assert_eq!(written(r#"{"severityNumber": "SEVERITY_NUMBER_WARN"}"#)["severityNumber"], 13);
    assert_eq!(written(r#"{"severityNumber": 17.0}"#)["severityNumber"], 17);
    assert_eq!(written(r#"{"traceId": "5B8EFFF798038103D269B633813FC60C"}"#)["traceId"], "5b8efff798038103d269b633813fc60c");
    assert_eq!(written(r#"{"body": {"intValue": -7}}"#)["body"], json!({"intValue": "-7"}));
    assert_eq!(written(r#"{"body": {"doubleValue": "-Infinity"}}"#)["body"], json!({"doubleValue": "-Infinity"}));
    assert_eq!(written(r#"{"body": {"doubleValue": 5}}"#)["body"], json!({"doubleValue": 5.0}));
    assert_eq!(written(r#"{"body": {"bytesValue": "_-8"}}"#)["body"], json!({"bytesValue": "/+8="}));
    assert_eq!(written(r#"{"body": {"bytesValue": "/+8="}}"#)["body"], json!({"bytesValue": "/+8="}));
}

#[test]
fn unknown_fields_and_null_are_passed_over() {
    let text =
        r#"{"new": [{"x": 1}], "body": {"new": {}, "stringValue": "b"}, "attributes": null, "time_unix_nano": 9, "flags": null}"#;
    assert_eq!(written(text), json!({"body": {"stringValue": "b"}}));
    assert_eq!(decode(Request::Logs, r#"{"resourceMetrics": [{}], "resourceLogs": null}"#), Ok(Bytes::new()));
}

#[test]
fn an_error_names_its_place_and_what_was_expected() {
    let text = "{\"resourceLogs\": [\n  {\"scopeLogs\": [{\"logRecords\": [\n    {\"timeUnixNano\": true}\n  ]}]}\n]}";
    let error = decode(Request::Logs, text).unwrap_err();
    assert_eq!(error.line, 3);
    assert_eq!(
        error.to_string(),
        format!(
            "line 3, column {}: invalid type: boolean `true`, expected `timeUnixNano` to be a number of 64 bits, 0 or more, in quotes or not",
            error.column
        )
    );
    let message = |fields: &str| record(fields).unwrap_err().message;
    assert!(message(r#"{"traceId": "abc1"}"#).contains("expected `traceId` to be 32 hexadecimal digits, or none"));
    assert!(message(r#"{"timeUnixNano": "-1"}"#).contains("expected `timeUnixNano` to be a number of 64 bits"));
    assert!(message(r#"{"timeUnixNano": 1.5}"#).contains("invalid value: floating point `1.5`"));
    assert!(message(r#"{"severityNumber": "LOUD"}"#).contains("a name such as SEVERITY_NUMBER_FATAL4"));
    assert!(message(r#"{"body": {"stringValue": "a", "intValue": 1}}"#).contains("`intValue` beside `stringValue`"));
    assert!(message(r#"{"body": {}, "body": {}}"#).contains("`body` occurs twice"));
    assert!(message(r#"{"attributes": {}}"#).contains("expected a list under `attributes`"));
    assert!(message(r#"{"body": {"doubleValue": "inf"}}"#).contains("`doubleValue` to be a number"));
    assert!(message(r#"{"body": "text"}"#).contains("expected an object with stringValue, boolValue, intValue, ..."));
    assert!(message(r#"{"body": {"bytesValue": "*"}}"#).contains("Base64"));
    assert!(decode(Request::Logs, "{} {}").unwrap_err().message.contains("trailing characters"));
    assert!(decode(Request::Logs, "").unwrap_err().message.contains("EOF"));
}

#[test]
fn a_request_of_no_signal_or_two_is_refused() {
    assert!(decode_any("{}").unwrap_err().message.contains("expected resourceMetrics, resourceLogs or resourceSpans"));
    let two = decode_any(r#"{"resourceLogs": [], "x": 1, "resourceSpans": []}"#).unwrap_err();
    assert!(two.message.contains("`resourceSpans` beside another signal"));
    assert_eq!(decode_any(r#"{"resourceSpans": []}"#), Ok((Request::Traces, Bytes::new())));
}

#[test]
fn depth_is_bounded_both_ways() {
    let deep = |depth: usize| {
        let (open, close) = (r#"{"arrayValue":{"values":["#.repeat(depth), "]}}".repeat(depth));
        record(&format!("{{\"body\":{open}{close}}}"))
    };
    encode(Request::Logs, &deep(28).unwrap()).unwrap();
    assert_eq!(encode(Request::Logs, &deep(32).unwrap()).unwrap_err().what, crate::wire::Fault::TooDeep);
    assert!(deep(100).unwrap_err().message.contains("recursion limit"));
    assert!(deep(100_000).unwrap_err().message.contains("recursion limit"));
}

#[test]
fn damaged_bytes_are_reported_and_damaged_text_too() {
    for (request, bytes, json) in golden() {
        for length in 0..bytes.len() {
            let _ = encode(request, &bytes[..length]);
        }
        for length in 0..json.len() {
            if let Some(torn) = json.get(..length) {
                decode(request, torn).unwrap_err();
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn whatever_is_written_is_read_back(decisions in tape()) {
        let bytes = generated(&decisions, &schema::METRICS, false);
        let text = encode(Request::Metrics, &bytes).unwrap();
        let read = decode(Request::Metrics, &text).unwrap();
        prop_assert_eq!(metrics::count_points(&read), metrics::count_points(&bytes));
        validate::metrics(&read, Utf8::Require).unwrap();
        prop_assert_eq!(encode(Request::Metrics, &read).unwrap(), text);

        let bytes = generated(&decisions, &schema::LOGS, false);
        let text = encode(Request::Logs, &bytes).unwrap();
        let read = decode(Request::Logs, &text).unwrap();
        prop_assert_eq!(logs::count_records(&read), logs::count_records(&bytes));
        validate::logs(&read, Utf8::Require).unwrap();
        prop_assert_eq!(encode(Request::Logs, &read).unwrap(), text);

        let bytes = generated(&decisions, &schema::TRACES, false);
        let text = encode(Request::Traces, &bytes).unwrap();
        let read = decode(Request::Traces, &text).unwrap();
        prop_assert_eq!(traces::count_spans(&read), traces::count_spans(&bytes));
        validate::traces(&read, Utf8::Require).unwrap();
        prop_assert_eq!(encode(Request::Traces, &read).unwrap(), text);
    }

    #[test]
    fn damaged_requests_never_panic(mut decisions in tape(), at in any::<usize>(), byte in any::<u8>()) {
        let mut bytes = generated(&decisions, &schema::METRICS, true);
        if !bytes.is_empty() {
            let at = at % bytes.len();
            bytes[at] = byte;
        }
        let _ = encode(Request::Metrics, &bytes);
        decisions.truncate(200);
        let _ = decode_any(&String::from_utf8_lossy(&decisions));
    }
}
