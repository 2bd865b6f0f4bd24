use bytes::Bytes;
use deferd_component::testing::{context, document};
use deferd_component::{ComponentId, Kind};
use deferd_pdata::build::{LogsBuilder, Record, Value};

use super::*;

/// 1,500 decisions of the Collector's processor (contrib v0.155.0, run over random configurations and records):
/// `mode percentage seed precision fail_closed source from_attribute priority | trace_id threshold randomness foo prio | threshold randomness`.
/// `-` is absent; attributes are texts, or `s:` text, `b:` bytes, `i:` integer, `d:` double, `t:` true.
const COLLECTOR: &str = include_str!("golden/collector.txt");

fn id() -> ComponentId {
    "probabilistic_sampler".parse().unwrap()
}

fn sampler(body: &str) -> ProbabilisticSampler {
    let config = document(Kind::Processor, &id(), body).decode(Kind::Processor, &id()).unwrap();
    Factory::build(config, Arc::default(), &context(Kind::Processor, &id(), &[Signal::Logs])).unwrap()
}

fn problems(body: &str) -> Vec<String> {
    let refused = document(Kind::Processor, &id(), body).decode::<Config>(Kind::Processor, &id()).unwrap_err();
    refused.into_iter().map(|problem| format!("{}: {}", problem.path, problem.message.lines().last().unwrap())).collect()
}

/// Trace id and attributes.
type Item<'a> = (Option<[u8; 16]>, Vec<(&'a str, Value<'a>)>);

fn request(records: &[Item<'_>]) -> Bytes {
    let mut request = LogsBuilder::default();
    request.resource(&[("service.name", "shop".into())], |resource| {
        resource.scope("s", "", |scope| {
            for (trace_id, attributes) in records {
                scope.add(&Record { trace_id: *trace_id, attributes: attributes.into(), ..Record::default() });
            }
        });
    });
    request.finish()
}

/// `threshold randomness` of each record that stays, and how many were dropped.
fn run(sampler: &ProbabilisticSampler, request: Bytes, items: usize) -> (Vec<String>, usize) {
    let mut out = Out::new();
    sampler.process(Batch::new(Signal::Logs, request, items), &mut out).unwrap();
    let dropped = out.dropped().iter().map(|(reason, items)| {
        assert_eq!(*reason, DropReason::Sampled);
        items
    });
    let dropped = dropped.sum();
    assert_eq!(out.emitted_items() + dropped, items);
    let emitted = out.take_emitted();
    let chunks = emitted.iter().flat_map(|emitted| emitted.batch.chunks());
    let resources = chunks.flat_map(|chunk| logs::Request::new(chunk).resources());
    let records = resources.flat_map(|resource| resource.scopes()).flat_map(|scope| scope.items());
    let stayed = records.map(|record| {
        let text = |key| match record.attributes().get(key) {
            None => "-".to_owned(),
            Some(AnyValue::Int(value)) => format!("i:{value}"),
            Some(value) => value.to_text().into_owned(),
        };
        format!("{} {}", text(THRESHOLD), text(RANDOMNESS))
    });
    (stayed.collect(), dropped)
}

fn unhex(digits: &str) -> Vec<u8> {
    digits.as_bytes().chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

#[test]
fn every_decision_is_the_collectors() {
    let mut stayed = 0;
    for line in COLLECTOR.lines() {
        let parts: Vec<Vec<&str>> = line.split(" | ").map(|part| part.split(' ').collect()).collect();
        let [config, item, expected] = parts.as_slice() else { panic!("{line}") };
        let mut body = format!(
            "sampling_percentage: {}, hash_seed: {}, sampling_precision: {}, fail_closed: {}, attribute_source: {}",
            config[1], config[2], config[3], config[4], config[5]
        );
        for (key, value) in [("mode", config[0]), ("from_attribute", config[6]), ("sampling_priority", config[7])] {
            if value != "-" {
                body += ", ";
                body += &[key, value].join(": ");
            }
        }
        let raw: Vec<Vec<u8>> = item.iter().map(|text| text.strip_prefix("b:").map(unhex).unwrap_or_default()).collect();
        let mut attributes = Vec::new();
        for (index, key) in [THRESHOLD, RANDOMNESS, "foo", "prio"].into_iter().enumerate() {
            let text = item[index + 1];
            let value = match text.split_once(':') {
                _ if text == "-" => continue,
                Some(("b", _)) => Value::Bytes(&raw[index + 1]),
                Some(("i", value)) => Value::Int(value.parse().unwrap()),
                Some(("d", value)) => Value::Double(value.parse().unwrap()),
                Some(("t", _)) => Value::Bool(true),
                Some(("s", value)) => Value::Str(value),
                _ => Value::Str(text),
            };
            attributes.push((key, value));
        }
        let trace_id = (item[0] != "-").then(|| unhex(item[0]).try_into().unwrap());
        let (stays, _) = run(&sampler(&format!("{{{body}}}")), request(&[(trace_id, attributes)]), 1);
        let stays = stays.first().map_or("drop", String::as_str);
        assert_eq!(stays, expected.join(" "), "{line}");
        stayed += usize::from(stays != "drop");
    }
    println!("{stayed} of {} stayed", COLLECTOR.lines().count());
    assert!(stayed > 500);
}

#[test]
fn a_batch_is_thinned_and_what_is_dropped_is_counted() {
    let records: Vec<_> = (1..=1000_u128).map(|n| (Some((n * 0x9e37_79b9_7f4a_7c15_f39c).to_be_bytes()), vec![])).collect();
    let (stays, dropped) = run(&sampler("{sampling_percentage: 25}"), request(&records), 1000);
    assert_eq!(stays.len() + dropped, 1000);
    assert!((180..320).contains(&stays.len()), "{}", stays.len());
    assert!(stays.iter().all(|text| text.starts_with("c ")), "{stays:?}");
    let (stays, dropped) = run(&sampler("{}"), request(&records), 1000);
    assert_eq!((stays.len(), dropped), (0, 1000));
}

#[test]
fn records_without_a_trace_id_are_dropped_or_kept_as_fail_closed_says() {
    for mode in ["hash_seed", "equalizing", "proportional"] {
        let bytes = request(&[(None, vec![])]);
        let open = sampler(&format!("{{sampling_percentage: 50, mode: {mode}, fail_closed: false}}"));
        assert_eq!(run(&open, bytes.clone(), 1), (vec!["0 -".to_owned()], 0), "{mode}");
        let closed = sampler(&format!("{{sampling_percentage: 50, mode: {mode}}}"));
        assert_eq!(run(&closed, bytes, 1), (vec![], 1), "{mode}");
    }
}

#[test]
fn an_attribute_stands_in_for_the_trace_id() {
    let records: Vec<_> = (0..1000).map(|n| (None, vec![("id", Value::Int(n))])).collect();
    let (stays, _) = run(&sampler("{sampling_percentage: 50, from_attribute: id}"), request(&records), 1000);
    assert!((400..600).contains(&stays.len()), "{}", stays.len());
}

#[test]
fn a_records_priority_replaces_the_percentage() {
    let records = [(Some([1; 16]), vec![("p", Value::Int(100))]), (Some([1; 16]), vec![("p", Value::Int(0))])];
    let (stays, dropped) = run(&sampler("{sampling_percentage: 0, sampling_priority: p}"), request(&records), 2);
    assert_eq!((stays, dropped), (vec!["0 -".to_owned()], 1));
}

#[test]
fn damaged_requests_are_refused_for_good_or_taken_without_panic() {
    let sampler = sampler("{sampling_percentage: 50, from_attribute: id, fail_closed: false}");
    let whole = request(&[(Some([9; 16]), vec![("id", "x".into())]), (None, vec![(THRESHOLD, "8".into())])]);
    for length in 1..whole.len() {
        let torn = Batch::new(Signal::Logs, whole.slice(..length), 2);
        if let Err(refused) = sampler.process(torn, &mut Out::new()) {
            assert_eq!((refused.refusal.kind, refused.batch.items()), (RefusalKind::Invalid, 2));
        }
    }
}

#[test]
fn what_is_wrong_is_said_as_the_collector_says_it() {
    let at = |key: &str, text: &str| vec![format!("processors::probabilistic_sampler::{key}: {text}")];
    let expected = at("sampling_percentage", "sampling rate is negative: -15.300000%");
    assert_eq!(problems("{sampling_percentage: -15.3}"), expected);
    assert_eq!(problems("{sampling_percentage: 1e-18}"), at("sampling_percentage", "sampling rate is too small: 1e-18%"));
    assert_eq!(problems("{sampling_precision: 0}"), at("sampling_precision", "invalid sampling precision: 0"));
    let expected = at("sampling_precision", "sampling precision is too great, should be <= 14: 15");
    assert_eq!(problems("{sampling_precision: 15}"), expected);
    let expected = at("attribute_source", "invalid attribute source: x. Expected: traceID or record");
    assert_eq!(problems("{attribute_source: x}"), expected);
    assert!(problems("{mode: x}")[0].contains("unsupported sampler mode \"x\""), "{:?}", problems("{mode: x}"));
}
