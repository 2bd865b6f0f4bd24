//! Rules for log records.

use deferd_pdata::build::{LogsBuilder, Record};
use deferd_pdata::logs;

use super::*;

const RULES: &str = "{include: [], log_rules: [\
    {name: Died, match: {event.name: go.panic, go.panic.stage: fatal}, severity: critical}, \
    {name: Errors, min_severity_number: 17, not_match: {body: \".*benign.*\"}, severity: medium}]}";

fn batch() -> Batch {
    let fatal = [("go.panic.stage", "fatal".into())];
    let mut request = LogsBuilder::default();
    request.resource(&[("service.name", "shop".into())], |resource| {
        resource.scope("s", "", |scope| {
            scope.add(&Record { event_name: "go.panic", attributes: (&fatal).into(), severity_number: 21, ..Record::default() });
            scope.add(&Record { body: "a benign error".into(), severity_number: 17, ..Record::default() });
            scope.add(&Record { body: "an error\nof two lines".into(), severity_number: 17, ..Record::default() });
            scope.add(&Record { body: "a word".into(), severity_number: 9, ..Record::default() });
        });
    });
    let items = request.count_records();
    Batch::new(Signal::Logs, request.finish(), items)
}

#[test]
fn records_that_fit_are_marked_by_the_first_rule_and_counted() {
    let bench = Bench::new(RULES);
    let mut out = Out::new();
    bench.threshold.process(batch(), &mut out).unwrap();
    let emitted = out.take_emitted();
    assert_eq!(emitted[0].batch.items(), 4);
    let payload = emitted[0].batch.payload();
    let records = logs::Request::new(&payload).resources().flat_map(|resource| resource.scopes()).flat_map(|scope| scope.items());
    let marks: Vec<String> = records
        .map(|record| {
            let text = |key: &str| record.attributes().get(key).map(|value| value.to_text().into_owned()).unwrap_or_default();
            format!("{} {}", text(alert::NAME), text(alert::SEVERITY))
        })
        .collect();
    assert_eq!(marks, ["Died critical", " ", "Errors medium", " "]);
    let marked = |rule| bench.context.telemetry.total("deferd_threshold_marked_log_records", ("rule", rule));
    assert_eq!((marked("Died"), marked("Errors")), (1, 1));
}

#[test]
fn without_log_rules_records_pass_untouched() {
    let bench = Bench::new("{}");
    let (mut out, before) = (Out::new(), batch().payload());
    bench.threshold.process(batch(), &mut out).unwrap();
    assert_eq!(out.take_emitted()[0].batch.payload(), before);
}
