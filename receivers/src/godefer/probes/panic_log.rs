//! The log record of a panic.

use std::fmt::Write;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use deferd_bpf::{PanicRecord, Stage};
use deferd_goproc::image::Location;
use deferd_goproc::panic::PanicValue;
use deferd_pdata::build::EncodedAttributes;

use super::logs::LogEntry;

/// What is told of a panic at one stage.
#[derive(Debug, Clone)]
pub(super) struct Told {
    pub(super) value: PanicValue,
    /// Function, file and line of the first frame of the user's own code.
    pub(super) place: (String, String, u32),
    pub(super) stack: String,
    /// `None` of a panic whose end was not told yet.
    pub(super) is_internal: Option<bool>,
    /// The function that registered the deferred call that recovered it.
    pub(super) recovered_by: String,
}

/// From the clock of the programs to that of log records.
#[derive(Debug)]
pub(super) struct Clock {
    wall: u64,
    monotonic: u64,
}

impl Clock {
    pub(super) fn now() -> Self {
        let nanoseconds = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let monotonic = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
        Self {
            wall: nanoseconds(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()),
            monotonic: nanoseconds(monotonic.try_into().unwrap_or_default()),
        }
    }

    fn wall(&self, monotonic: u64) -> u64 {
        self.wall.saturating_sub(self.monotonic.saturating_sub(monotonic))
    }
}

/// As `go.panic.stage` has it.
pub(super) fn stage_name(stage: Stage) -> &'static str {
    match stage {
        Stage::Raised => "raised",
        Stage::Recovered => "recovered",
        Stage::Replaced => "replaced",
        Stage::Fatal => "fatal",
        Stage::Goexit => "goexit",
        Stage::Throw => "throw",
    }
}

/// The record.
pub(super) fn entry(record: &PanicRecord, told: &Told, resource: &Arc<EncodedAttributes>, clock: &Clock) -> LogEntry {
    LogEntry {
        resource: Arc::clone(resource),
        event: if record.stage == Stage::Throw { "go.fatal" } else { "go.panic" },
        time: clock.wall(record.time),
        severity: severity(record.stage, told.is_internal == Some(true)),
        body: body(record.stage, told),
        attributes: attributes(record, told),
    }
}

/// Numbers and names of the logs data model.
fn severity(stage: Stage, is_internal: bool) -> (i32, &'static str) {
    match stage {
        _ if is_internal => (5, "DEBUG"),
        Stage::Goexit => (9, "INFO"),
        Stage::Raised | Stage::Recovered | Stage::Replaced => (13, "WARN"),
        Stage::Fatal | Stage::Throw => (21, "FATAL"),
    }
}

fn body(stage: Stage, told: &Told) -> String {
    let (value, (_, file, line)) = (&told.value, &told.place);
    let what = match stage {
        Stage::Goexit => "runtime.Goexit".to_owned(),
        Stage::Throw => format!("fatal error: {}", value.message),
        _ if value.message.is_empty() => format!("panic({}) {}", value.type_name, stage_name(stage)),
        _ => format!("panic({}) {}: {}", value.type_name, stage_name(stage), value.message),
    };
    format!("{what} at {file}:{line}")
}

fn attributes(record: &PanicRecord, told: &Told) -> EncodedAttributes {
    let mut attributes = EncodedAttributes::default();
    let mut text = |key: &str, value: &str| {
        if !value.is_empty() {
            attributes.push(key, value);
        }
    };
    text("go.panic.id", &format!("{:016x}", record.id));
    if record.stage != Stage::Throw {
        text("go.panic.stage", stage_name(record.stage));
    }
    text("go.panic.recovered_by", &told.recovered_by);
    text("exception.type", &told.value.type_name);
    text("exception.message", &told.value.message);
    text("exception.stacktrace", &told.stack);
    text("code.function.name", &told.place.0);
    text("code.file.path", &told.place.1);
    attributes.push("code.line.number", i64::from(told.place.2));
    attributes.push("go.goroutine.id", i64::try_from(record.goid).unwrap_or(i64::MAX));
    if let Some(is_internal) = told.is_internal.filter(|_| record.stage != Stage::Throw) {
        attributes.push("go.panic.internal", is_internal);
    }
    attributes
}

/// As a traceback prints it.
pub(super) fn stack_text(frames: &[Location]) -> String {
    let mut text = String::new();
    for frame in frames {
        let _ = writeln!(text, "{}\n\t{}:{}", frame.function, frame.file, frame.line);
    }
    text
}
