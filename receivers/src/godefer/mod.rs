//! `godefer`: what live Go processes hold in pending deferred calls, seen from outside.
//!
//! Snapshots only: the memory of a process is read without stopping it, tracing it or writing to it. One thread looks at one
//! process at a time, so that what looking costs can be measured and bounded (`max_agent_cpu`); a loop of its own sends what was
//! seen and waits for what is due next.

mod budget;
mod config;
mod frame;
mod history;
mod metric;
mod refusals;
mod resource;
mod selection;
mod session;
mod watched;

use std::sync::Arc;
use std::time::Instant;

use deferd_component::telemetry::{Gauge, Health, Telemetry};
use deferd_component::{Batch, BuildContext, BuildError, Ingress, Metadata, Receiver, ReceiverFactory, Signal, Stability, Stop};
use tokio::sync::Mutex;

pub use config::{Config, Selector, Snapshots, Targets};

use selection::Selection;
use session::{News, Session, Settings, Step};

/// Makes the receiver.
#[derive(Debug)]
pub struct Factory;

/// What survives a reload: processes stay attached, growth and ages go on. Whoever runs holds the lock.
#[derive(Debug, Default)]
pub struct State(Arc<Mutex<Session>>);

/// The receiver.
#[derive(Debug)]
pub struct GoDefer {
    settings: Arc<Settings>,
    session: Arc<Mutex<Session>>,
    report: Report,
}

impl ReceiverFactory for Factory {
    type Config = Config;
    type State = State;
    type Receiver = GoDefer;

    const METADATA: Metadata = Metadata {
        component_type: "godefer",
        summary: "pending deferred calls of live Go processes, by site",
        signals: &[Signal::Metrics],
        stability: Stability::Alpha,
    };

    fn build(config: Config, state: Arc<State>, context: &BuildContext) -> Result<GoDefer, BuildError> {
        let selection = Selection::new(&config.targets);
        Ok(GoDefer {
            settings: Arc::new(Settings { config, selection }),
            session: Arc::clone(&state.0),
            report: Report::new(context),
        })
    }
}

impl Receiver for GoDefer {
    async fn run(self, ingress: Ingress, stop: Stop) {
        // Held by the receiver that this one replaces until it has returned, which takes one look at most.
        let mut session = tokio::select! {
            session = Arc::clone(&self.session).lock_owned() => session,
            () = stop.wait() => return,
        };
        session.configure(&self.settings, Instant::now());
        while !stop.is_set() {
            let Some(done) = self.step(&mut session).await else { return };
            self.report.show(&session, &self.settings, &done);
            if let Some((subject, outgoing)) = done.outgoing {
                let batch = Batch::new(Signal::Metrics, outgoing.payload.clone(), outgoing.points);
                let sent = ingress.send(batch).await;
                session.settle(subject, outgoing, sent);
                if sent.is_err() {
                    pause(&stop, Some(Instant::now() + REFUSED_PAUSE)).await;
                }
            }
            pause(&stop, done.next).await;
        }
    }
}

/// A refused request is not repeated at once: the next look brings newer figures.
const REFUSED_PAUSE: std::time::Duration = std::time::Duration::from_millis(200);

async fn pause(stop: &Stop, until: Option<Instant>) {
    if let Some(until) = until {
        tokio::select! {
            () = stop.wait() => {}
            () = tokio::time::sleep_until(until.into()) => {}
        }
    }
}

impl GoDefer {
    /// Does the next piece of work on a thread for blocking work. `None` if it panicked, which ends the receiver: the engine says
    /// so and keeps everything else running.
    async fn step(&self, session: &mut Session) -> Option<Step> {
        let settings = Arc::clone(&self.settings);
        let mut working = std::mem::take(session);
        let work = tokio::task::spawn_blocking(move || {
            let step = working.step(&settings);
            (working, step)
        });
        let (worked, step) = work.await.ok()?;
        *session = worked;
        Some(step)
    }
}

/// What the receiver says about itself.
#[derive(Debug)]
struct Report {
    path: String,
    health: Arc<Health>,
    watched: Gauge,
}

/// Reasons of [`refusals::Refusals::summary`].
const REASONS: [&str; 4] = ["no_permission", "unsupported", "self_check", "system"];

impl Report {
    fn new(context: &BuildContext) -> Self {
        let watched = |telemetry: &Telemetry| {
            let labels = vec![("receiver", context.id.to_string())];
            telemetry.gauge("deferd_godefer_watched_processes", "Go processes under watch", labels)
        };
        Self { path: context.path(), health: Arc::clone(&context.health), watched: watched(&context.telemetry) }
    }

    fn show(&self, session: &Session, settings: &Settings, step: &Step) {
        #[expect(clippy::cast_precision_loss, reason = "there are no 2^53 processes")]
        self.watched.set(session.watched() as f64);
        for news in &step.news {
            match news {
                News::Watching(label) => tracing::info!(component = self.path, "watching {label}"),
                News::Ended(label) => tracing::info!(component = self.path, "no longer watching {label}"),
                News::Refused(message) => tracing::warn!(component = self.path, "{message}"),
                News::Failed(message) => tracing::debug!(component = self.path, "{message}"),
            }
        }
        if !step.news.is_empty() || session.watched() == 0 {
            self.show_refusals(session, settings);
        }
    }

    /// One health reason per kind of refusal. Where everything is watched that can be, programs of versions that are not
    /// understood are no fault; where processes were named, they are.
    fn show_refusals(&self, session: &Session, settings: &Settings) {
        let summary = session.refusals().summary();
        for reason in REASONS {
            match summary.get(reason) {
                Some((count, message)) if settings.selection.is_explicit() || reason == "no_permission" => {
                    let text = if *count == 1 { message.clone() } else { format!("{count} processes, for example: {message}") };
                    if self.degrade(reason, &text) {
                        tracing::warn!(component = self.path, reason, "{text}");
                    }
                }
                _ => drop(self.health.recover(&self.path, reason)),
            }
        }
    }

    /// Whether the reason is new. Its text names a number of processes, which changes as they come and go and is no news.
    fn degrade(&self, reason: &str, text: &str) -> bool {
        let degraded = self.health.degraded();
        let known = degraded.iter().any(|(path, known)| *path == self.path && known.reason == reason);
        self.health.degrade(&self.path, reason, text) && !known
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_right_is_news_once_however_many_processes_it_concerns() {
        let watched = Telemetry::default().gauge("watched", "", Vec::new());
        let report = Report { path: "receivers::godefer".to_owned(), health: Arc::default(), watched };
        report.health.register(&report.path);
        assert!(report.degrade("no_permission", "46 processes"));
        assert!(!report.degrade("no_permission", "47 processes"));
        assert!(report.degrade("system", "1 process"));
        assert!(report.health.recover(&report.path, "no_permission"));
        assert!(report.degrade("no_permission", "46 processes"));
    }
}
