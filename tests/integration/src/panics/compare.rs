//! Events of a watcher, held against what the program announced.

use std::collections::BTreeMap;

use super::{Case, Stage};
use crate::recording::Event;

/// Everything in which the events of the case's goroutine differ from what was announced; empty if nothing does. `events` are those
/// of its process, of which a fatal error may happen on another goroutine.
///
/// Events of one panic are those of one `go.panic.id`. What was announced has to be told where a panic begins (raised, goexit);
/// its later events may leave out what does not change. If the case happens several times, events may be fewer: records are limited.
pub fn differences(case: &Case, events: &[Event]) -> Vec<String> {
    let own: Vec<&Event> = events.iter().filter(|event| text(event, "go.goroutine.id") == case.goroutine.to_string()).collect();
    let mut wrong = Vec::new();
    let expected = by_panic(case);
    let found = by_id(&own);
    if case.times <= 1 && found.len() != expected.len() || found.is_empty() != expected.is_empty() {
        wrong.push(format!("{} panics announced, {} seen", expected.len(), found.len()));
    }
    for (number, (_, seen)) in found.iter().enumerate() {
        // Which panic of the case it is, if all of it happens over and over.
        let Some(announced) = expected.get(number % expected.len().max(1)) else { continue };
        let stages = |stages: &[&str]| stages.join(", ");
        let says: Vec<&str> = announced.iter().map(|stage| stage.stage.as_str()).collect();
        let shows: Vec<&str> = seen.iter().map(|event| text(event, "go.panic.stage")).collect();
        if says != shows {
            wrong.push(format!("panic {}: {} announced, {} seen", number + 1, stages(&says), stages(&shows)));
            continue;
        }
        for (stage, event) in announced.iter().zip(seen) {
            wrong.extend(stage_differences(stage, event));
        }
    }
    wrong.extend(fatal_differences(case, events));
    wrong
}

/// Stages of each panic, in the order in which the panics begin.
fn by_panic(case: &Case) -> Vec<Vec<&Stage>> {
    let mut panics: BTreeMap<u32, Vec<&Stage>> = BTreeMap::new();
    for stage in case.stages.iter().filter(|stage| stage.event == "go.panic") {
        panics.entry(stage.panic).or_default().push(stage);
    }
    panics.into_values().collect()
}

/// Events of each panic, in the order in which the panics begin.
fn by_id<'a>(events: &[&'a Event]) -> Vec<(&'a str, Vec<&'a Event>)> {
    let mut panics: Vec<(&str, Vec<&Event>)> = Vec::new();
    for event in events.iter().filter(|event| event.name == "go.panic") {
        let id = text(event, "go.panic.id");
        match panics.iter_mut().find(|(known, _)| *known == id) {
            Some((_, seen)) => seen.push(event),
            None => panics.push((id, vec![event])),
        }
    }
    panics
}

/// How one event differs from its stage.
fn stage_differences(stage: &Stage, event: &Event) -> Vec<String> {
    let begins = matches!(stage.stage.as_str(), "raised" | "goexit");
    let line = if stage.line > 0 { stage.line.to_string() } else { String::new() };
    let mut wrong = Vec::new();
    let mut compare = |key: &str, expected: &str, required: bool| {
        let found = event.attributes.get(key);
        let same = found.map_or(!required, |found| found == expected);
        if !expected.is_empty() && !same {
            wrong.push(format!("panic {} {}: {key} is {found:?}, announced {expected:?}", stage.panic, stage.stage));
        }
    };
    compare("exception.type", &stage.kind, begins);
    // The last words of a dying program are another text than the value had.
    compare("exception.message", &stage.message, begins || stage.stage == "fatal");
    compare("code.function.name", &stage.function, begins);
    compare("code.file.path", &stage.file, begins);
    compare("code.line.number", &line, begins);
    // While it is under way, nobody knows.
    compare("go.panic.internal", &stage.internal.to_string(), stage.internal && !begins);
    if begins && text(event, "exception.stacktrace").is_empty() {
        wrong.push(format!("panic {} {}: no stack", stage.panic, stage.stage));
    }
    wrong
}

/// How fatal errors of the runtime differ.
fn fatal_differences(case: &Case, events: &[Event]) -> Vec<String> {
    let announced = case.stages.iter().filter(|stage| stage.event == "go.fatal").map(|stage| stage.message.as_str());
    let mut seen: Vec<&str> =
        events.iter().filter(|event| event.name == "go.fatal").map(|event| text(event, "exception.message")).collect();
    let announced: Vec<&str> = announced.collect();
    if case.dies {
        // Several goroutines may find the same fault at once.
        seen.dedup();
    }
    if announced == seen { Vec::new() } else { vec![format!("fatal errors {announced:?} announced, {seen:?} seen")] }
}

fn text<'a>(event: &'a Event, key: &str) -> &'a str {
    event.attributes.get(key).map_or("", String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(times: u64) -> Case {
        let stage = |stage: &str| Stage {
            event: "go.panic".into(),
            panic: 1,
            stage: stage.into(),
            kind: "string".into(),
            message: "no".into(),
            function: "main.f".into(),
            line: 7,
            ..Stage::default()
        };
        Case { name: "one".into(), goroutine: 5, times, dies: false, stages: vec![stage("raised"), stage("recovered")] }
    }

    fn event(id: &str, stage: &str, more: &[(&str, &str)]) -> Event {
        let fixed = [("go.goroutine.id", "5"), ("go.panic.id", id), ("go.panic.stage", stage)];
        let attributes = fixed.iter().chain(more).map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        Event { process: 1, name: "go.panic".into(), time: 0, attributes }
    }

    const RAISED: [(&str, &str); 5] = [
        ("exception.type", "string"),
        ("exception.message", "no"),
        ("code.function.name", "main.f"),
        ("code.line.number", "7"),
        ("exception.stacktrace", "main.f ..."),
    ];

    #[test]
    fn what_was_announced_is_no_difference() {
        let seen = [event("a", "raised", &RAISED), event("a", "recovered", &[])];
        assert_eq!(differences(&case(1), &seen), Vec::<String>::new());
        // Of a hundred times, some were told.
        let more = [event("b", "raised", &RAISED), event("b", "recovered", &[])];
        assert_eq!(differences(&case(100), &[seen, more].concat()), Vec::<String>::new());
    }

    #[test]
    fn each_deviation_is_told() {
        let raised = event("a", "raised", &RAISED);
        let recovered = event("a", "recovered", &[]);
        let with = |key: &str, value: &str| {
            let mut other = raised.clone();
            other.attributes.insert(key.into(), value.into());
            vec![other, recovered.clone()]
        };
        for wrong in [
            vec![],
            vec![raised.clone()],
            vec![raised.clone(), event("b", "recovered", &[])],
            vec![raised.clone(), recovered.clone(), event("b", "raised", &RAISED)],
            with("code.line.number", "8"),
            with("exception.type", "int"),
            with("exception.stacktrace", ""),
            with("go.panic.internal", "true"),
            with("go.goroutine.id", "6"),
            vec![raised.clone(), event("a", "recovered", &[("exception.message", "yes")])],
            vec![raised.clone(), recovered.clone(), Event { name: "go.fatal".into(), ..recovered.clone() }],
        ] {
            assert!(!differences(&case(1), &wrong).is_empty(), "{wrong:?}");
        }
    }
}
