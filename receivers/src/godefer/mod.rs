//! `godefer`: what live Go processes hold in pending deferred calls, seen from outside.
//!
//! Snapshots: the memory of a process is read without stopping it, tracing it or writing to it. One thread looks at one process at a
//! time, so that what looking costs can be measured and bounded (`max_agent_cpu`), together with what probing costs; a loop of its
//! own sends what was seen and waits for what is due next. What memory cannot tell comes from `probes`, a thread and a budget apart.

mod budget;
mod config;
mod ends;
mod files;
mod frame;
mod history;
mod metric;
mod probes;
mod refusals;
mod report;
mod resource;
mod schedule;
mod selection;
mod session;
mod spent;
mod watched;

use std::io;
use std::sync::Arc;
use std::time::Instant;

use deferd_component::{
    Batch, BuildContext, BuildError, Ingress, Metadata, Receiver, ReceiverFactory, Refusal, Signal, Stability, Stop,
};
use tokio::sync::{Mutex, mpsc};

pub use config::{Config, Files, Panics, Probes, Rates, Selector, Snapshots, Targets, Timer};

pub use deferd_bpf::keeper;
use ends::Waiter;
pub use probes::{LEAST_ALLOWANCE, places};
use probes::{LogEntry, Losses, Outlet, encode};
use report::Report;
use selection::Selection;
use session::{Session, Settings, Step};

/// Loads what probes need, for a process that is about to give up the rights to do so, and starts who is to hold them. `probes` is of
/// any receiver of this type that there will be. The breakpoints go when what is returned is dropped.
pub fn prepare_probes(
    probes: &Probes,
    start_keeper: impl FnOnce() -> io::Result<(keeper::Running, Arc<keeper::Client>)>,
) -> Option<keeper::Running> {
    probes::prepare(probes, start_keeper)
}

/// Makes the receiver.
#[derive(Debug)]
pub struct Factory;

/// What survives a reload: processes stay attached, growth and ages go on. Whoever runs holds the lock.
#[derive(Debug, Default)]
pub struct State {
    session: Arc<Mutex<Session>>,
    logs: Arc<Logs>,
}

/// Log records on their way from the probes to whoever runs.
#[derive(Debug)]
struct Logs {
    sender: mpsc::Sender<LogEntry>,
    receiver: Arc<Mutex<mpsc::Receiver<LogEntry>>>,
}

impl Default for Logs {
    fn default() -> Self {
        let (sender, receiver) = mpsc::channel(MOST_RECORDS);
        Self { sender, receiver: Arc::new(Mutex::new(receiver)) }
    }
}

/// The receiver.
#[derive(Debug)]
pub struct GoDefer {
    settings: Arc<Settings>,
    session: Arc<Mutex<Session>>,
    logs: Arc<Logs>,
    losses: Losses,
    report: Report,
}

impl ReceiverFactory for Factory {
    type Config = Config;
    type State = State;
    type Receiver = GoDefer;

    const METADATA: Metadata = Metadata {
        component_type: "godefer",
        summary: "pending deferred calls and panics of live Go processes, by site",
        signals: &[Signal::Metrics, Signal::Logs],
        stability: Stability::Alpha,
    };

    fn build(config: Config, state: Arc<State>, context: &BuildContext) -> Result<GoDefer, BuildError> {
        let selection = Selection::new(&config.targets);
        Ok(GoDefer {
            settings: Arc::new(Settings { config, selection }),
            session: Arc::clone(&state.session),
            logs: Arc::clone(&state.logs),
            losses: Losses::new(context),
            report: Report::new(context),
        })
    }
}

impl Receiver for GoDefer {
    async fn run(self, ingress: Ingress, stop: Stop) {
        tokio::join!(self.look(&ingress, &stop), self.send_logs(&ingress, &stop));
    }
}

impl GoDefer {
    async fn look(&self, ingress: &Ingress, stop: &Stop) {
        // Held by the receiver that this one replaces until it has returned, which takes one look at most.
        let mut session = tokio::select! {
            session = Arc::clone(&self.session).lock_owned() => session,
            () = stop.wait() => return,
        };
        let outlet = Outlet::new(self.logs.sender.clone(), self.losses.clone());
        session.configure(&self.settings, outlet, Instant::now());
        let ends = session.waiter();
        while !stop.is_set() {
            let Some(done) = self.step(&mut session).await else { return };
            self.report.show(&session, &self.settings, &done);
            if let Some((subject, outgoing)) = done.outgoing {
                let batch = Batch::new(Signal::Metrics, outgoing.payload.clone(), outgoing.points);
                let sent = send(ingress, batch, &mut session, &ends).await;
                session.settle(subject, outgoing, sent);
                if sent.is_err() {
                    let until = Instant::now() + REFUSED_PAUSE;
                    while pause(stop, &ends, Some(until)).await == Pause::End {
                        session.release_ended();
                    }
                }
            }
            // An end needs no step of its own kind: every step begins with the ends.
            pause(stop, &ends, done.next).await;
        }
    }

    /// Sends what the probes record, as it comes.
    async fn send_logs(&self, ingress: &Ingress, stop: &Stop) {
        let mut logs = tokio::select! {
            logs = Arc::clone(&self.logs.receiver).lock_owned() => logs,
            () = stop.wait() => return,
        };
        let mut entries = Vec::new();
        loop {
            if entries.is_empty() {
                let received = tokio::select! {
                    received = logs.recv_many(&mut entries, MOST_PER_REQUEST) => received,
                    () = stop.wait() => 0,
                };
                // What is there is sent still; what comes later is for the next who runs.
                if received == 0 && (!stop.is_set() || logs.try_recv().map(|entry| entries.push(entry)).is_err()) {
                    return;
                }
            }
            let (payload, count) = encode(&entries, frame::nanoseconds(std::time::SystemTime::now()));
            match ingress.send(Batch::new(Signal::Logs, payload, count)).await {
                // Repeated until it is taken: a panic is told once. Meanwhile the channel bounds what waits.
                Err(refusal) if refusal.kind.is_retryable() && !stop.is_set() => {
                    tokio::select! {
                        () = stop.wait() => {}
                        () = tokio::time::sleep(REFUSED_PAUSE) => {}
                    }
                }
                _ => entries.clear(),
            }
        }
    }
}

/// Log records that wait to be sent; the probes count and drop what comes on top.
const MOST_RECORDS: usize = 4096;
/// Log records of one request.
const MOST_PER_REQUEST: usize = 512;
/// A refused request is not repeated at once: the next look brings newer figures.
const REFUSED_PAUSE: std::time::Duration = std::time::Duration::from_millis(200);

/// Hands a request over, however long that takes, and lets go of processes that end meanwhile.
async fn send(ingress: &Ingress, batch: Batch, session: &mut Session, ends: &Waiter) -> Result<(), Refusal> {
    let mut sending = std::pin::pin!(ingress.send(batch));
    loop {
        tokio::select! {
            sent = &mut sending => return sent,
            () = ends.wait() => session.release_ended(),
        }
    }
}

/// Why a pause is over.
#[derive(Debug, PartialEq, Eq)]
enum Pause {
    /// Its time has come, or there was none to wait for; or the receiver is to stop.
    Over,
    /// A process has ended.
    End,
}

async fn pause(stop: &Stop, ends: &Waiter, until: Option<Instant>) -> Pause {
    let Some(until) = until else { return Pause::Over };
    tokio::select! {
        () = stop.wait() => Pause::Over,
        () = ends.wait() => Pause::End,
        () = tokio::time::sleep_until(until.into()) => Pause::Over,
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
