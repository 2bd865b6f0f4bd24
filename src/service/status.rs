//! What is in force since when, and what came of the last reload: read by the admin address while the service works.

use arc_swap::ArcSwap;
use deferd_component::{Registry, telemetry::Gauge};
use deferd_config::{Document, REDACTED};
use serde_json::{Value, json};

use super::log;
use super::report::{Outcome, Report};
use super::request::Trigger;

/// The state of the configuration.
#[derive(Debug)]
pub(crate) struct Status(ArcSwap<State>);

#[derive(Debug, Clone)]
struct State {
    /// The configuration in force, without secrets.
    config: Value,
    files: Vec<String>,
    applied: Value,
    last_reload: Value,
}

impl Status {
    /// The state of a service that starts with this configuration. `applied_at` shows when.
    pub(crate) fn new(registry: &Registry, document: &Document, applied_at: &Gauge) -> Self {
        let status = Self(ArcSwap::from_pointee(State {
            config: Value::Null,
            files: Vec::new(),
            applied: Value::Null,
            last_reload: Value::Null,
        }));
        status.applied(registry, document, Trigger::Start, applied_at);
        status
    }

    /// Another configuration is in force.
    pub(crate) fn applied(&self, registry: &Registry, document: &Document, trigger: Trigger, applied_at: &Gauge) {
        let config = document.shown(&|kind, id, node| {
            // A body of a type that nobody knows cannot be in force, and is better not shown.
            registry.shower(kind, id.type_()).map_or_else(|| REDACTED.into(), |show| show(node))
        });
        let files = document.files().iter().map(|file| file.path.display().to_string()).collect();
        let applied = json!({ "at": log::now(), "trigger": trigger.name() });
        let last_reload = self.0.load().last_reload.clone();
        self.0.store(State { config, files, applied, last_reload }.into());
        applied_at.set(seconds_now());
    }

    /// A reload has ended.
    pub(crate) fn reloaded(&self, trigger: Trigger, report: &Report) {
        let mut state = State::clone(&self.0.load());
        state.last_reload = match report.result {
            Outcome::Rejected => {
                json!({ "at": log::now(), "trigger": trigger.name(), "result": report.result, "problems": report.problems })
            }
            _ => json!({ "at": log::now(), "trigger": trigger.name(), "result": report.result, "plan": report.plan }),
        };
        self.0.store(state.into());
    }

    /// All of it.
    pub(crate) fn shown(&self) -> Value {
        let State { config, files, applied, last_reload } = State::clone(&self.0.load());
        json!({ "applied": applied, "last_reload": last_reload, "files": files, "config": config })
    }
}

/// Seconds since 1970.
fn seconds_now() -> f64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map_or(0.0, |since| since.as_secs_f64())
}
