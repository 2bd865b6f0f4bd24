//! The service's own log: one line per event on standard error, in the Collector's two forms. The first separates by tabs.
//!
//! ```text
//! 2026-01-31T12:00:00.000000Z  info  deferd::service  Everything is ready. Begin running and processing data.  {"pipelines": 1}
//! {"level":"info","ts":"2026-01-31T12:00:00.000000Z","logger":"deferd::service","msg":"Everything is ready. ...","pipelines":1}
//! ```
//!
//! A layer of our own rather than `tracing_subscriber::fmt`: level, form and constant fields change on a reload, and text from
//! files or foreign processes must not be able to forge a line or steer a terminal, in either form. A message of several lines
//! (the debug exporter's) goes on in lines that begin with a tab, where no line of the log begins.

use std::fmt::{self, Write as _};
use std::io::Write as _;
use std::sync::Arc;

use arc_swap::ArcSwap;
use deferd_config::one_line;
use deferd_config::service::{Encoding, LogLevel, Logs};
use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::subscriber::Interest;
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime as _, SystemTime};
use tracing_subscriber::layer::{Context, SubscriberExt as _};

/// The handle by which a reload changes the log.
#[derive(Debug, Clone)]
pub(crate) struct Log(Arc<ArcSwap<Settings>>);

/// What can change.
#[derive(Debug)]
struct Settings {
    level: LevelFilter,
    encoding: Encoding,
    fields: Map<String, Value>,
}

impl Log {
    /// Starts logging for the whole process; a second start leaves the first in place.
    pub(crate) fn start(logs: &Logs) -> Self {
        let log = Self(Arc::new(ArcSwap::from_pointee(Settings::new(logs))));
        let subscriber = tracing_subscriber::registry().with(Lines(Arc::clone(&log.0)));
        // An error means that somebody logs already: a library user of `deferd::run` with a subscriber of its own.
        let _ = tracing::subscriber::set_global_default(subscriber);
        log
    }

    /// Puts other settings in place, from the next line on.
    pub(crate) fn apply(&self, logs: &Logs) {
        self.0.store(Arc::new(Settings::new(logs)));
    }
}

impl Settings {
    fn new(logs: &Logs) -> Self {
        let level = match logs.level {
            LogLevel::Debug => LevelFilter::DEBUG,
            LogLevel::Info => LevelFilter::INFO,
            LogLevel::Warn => LevelFilter::WARN,
            LogLevel::Error => LevelFilter::ERROR,
        };
        let fields = logs.initial_fields.iter().map(|(key, value)| (key.clone(), value.clone())).collect();
        Self { level, encoding: logs.encoding, fields }
    }
}

/// The layer that writes the lines.
struct Lines(Arc<ArcSwap<Settings>>);

impl<S: Subscriber> Layer<S> for Lines {
    /// The level may change at any time, so no call site's interest may be remembered.
    fn register_callsite(&self, _metadata: &'static Metadata<'static>) -> Interest {
        Interest::sometimes()
    }

    fn enabled(&self, metadata: &Metadata<'_>, _context: Context<'_, S>) -> bool {
        *metadata.level() <= self.0.load().level
    }

    fn on_event(&self, event: &Event<'_>, _context: Context<'_, S>) {
        let settings = self.0.load();
        let mut fields = Fields { message: String::new(), others: settings.fields.clone() };
        event.record(&mut fields);
        let line = line(settings.encoding, &now(), event.metadata(), fields);
        // There is nowhere to say that standard error is closed.
        let _ = std::io::stderr().lock().write_all(line.as_bytes());
    }
}

/// The time now, as lines of the log show it.
pub(super) fn now() -> String {
    let mut time = String::new();
    // Writing to a String cannot fail.
    let _ = SystemTime.format_time(&mut Writer::new(&mut time));
    time
}

/// One line, with its end.
fn line(encoding: Encoding, time: &str, metadata: &Metadata<'_>, fields: Fields) -> String {
    let (level, target) = (level_name(*metadata.level()), metadata.target());
    let Fields { message, others } = fields;
    match encoding {
        Encoding::Console => {
            let mut line = format!("{time}\t{level}\t{target}\t{}", indented(&message));
            if !others.is_empty() {
                let _ = write!(line, "\t{}", one_line(&Value::Object(others).to_string()));
            }
            line.push('\n');
            line
        }
        Encoding::Json => {
            let mut object = Map::new();
            for (key, value) in [("level", level), ("ts", time), ("logger", target), ("msg", &message)] {
                object.insert(key.to_owned(), value.into());
            }
            object.extend(others);
            format!("{}\n", one_line(&Value::Object(object).to_string()))
        }
    }
}

/// The message with its line breaks and tabs, and with other controls escaped.
fn indented(message: &str) -> String {
    let line = |line: &str| line.split('\t').map(one_line).collect::<Vec<_>>().join("\t");
    message.lines().map(line).collect::<Vec<_>>().join("\n\t")
}

fn level_name(level: Level) -> &'static str {
    match level {
        Level::ERROR => "error",
        Level::WARN => "warn",
        Level::INFO => "info",
        Level::DEBUG => "debug",
        Level::TRACE => "trace",
    }
}

/// Collects what an event says.
struct Fields {
    message: String,
    others: Map<String, Value>,
}

impl Fields {
    fn put(&mut self, field: &Field, value: Value) {
        match (field.name(), value) {
            ("message", Value::String(text)) => self.message = text,
            (name, value) => drop(self.others.insert(name.to_owned(), value)),
        }
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, format!("{value:?}").into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value.into());
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tracing::Callsite as _;

    use super::*;

    fn fields() -> Fields {
        let others = [("path".to_owned(), json!("a\u{1b}[2Jb"))].into_iter().collect();
        Fields { message: "two\nlines\tand\u{7}".into(), others }
    }

    fn metadata() -> &'static Metadata<'static> {
        struct Here;
        static HERE: Here = Here;
        static METADATA: Metadata<'static> = tracing::metadata! {
            name: "event",
            target: "deferd::test",
            level: Level::WARN,
            fields: &[],
            callsite: &HERE,
            kind: tracing::metadata::Kind::EVENT,
        };
        impl tracing::Callsite for Here {
            fn set_interest(&self, _interest: Interest) {}
            fn metadata(&self) -> &Metadata<'_> {
                &METADATA
            }
        }
        HERE.set_interest(Interest::always());
        &METADATA
    }

    #[test]
    fn no_text_can_forge_a_line_or_steer_a_terminal() {
        let console = line(Encoding::Console, "T", metadata(), fields());
        assert_eq!(console, "T\twarn\tdeferd::test\ttwo\n\tlines\tand\\u{7}\t{\"path\":\"a\\u001b[2Jb\"}\n");
        let json = line(Encoding::Json, "T", metadata(), fields());
        let expected = json!({
            "level": "warn", "ts": "T", "logger": "deferd::test", "msg": "two\nlines\tand\u{7}", "path": "a\u{1b}[2Jb"
        });
        assert_eq!(serde_json::from_str::<Value>(&json).unwrap(), expected);
        assert_eq!(json.lines().count(), 1);
    }
}
