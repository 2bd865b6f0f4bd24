//! The life of the service: read, start, follow signals, drain, end.

mod admin;
mod config;
mod log;
mod own_metrics;
mod process;
mod report;
mod request;
mod running;
mod signals;
mod status;
#[cfg(test)]
mod tests;
mod watch;

use std::thread::available_parallelism;

use deferd_component::{Kind, Registry};
use deferd_config::Source;
use deferd_engine::StopReport;
use deferd_receivers::godefer::keeper::Running;
use deferd_receivers::godefer::prepare_probes;
use tokio::sync::oneshot;

use crate::cli::environment;
use crate::exit::Exit;
use crate::helper::{self, Helper};
use crate::terminal::complain;

pub(crate) use admin::{AdminError, token, token_from};
pub(crate) use config::Loaded;
pub(crate) use log::Log;
pub(crate) use report::{Changes, Outcome, Report, Told};
pub(crate) use request::{Request, Requests};
pub(crate) use running::Service;
pub(crate) use signals::Signals;

/// Threads that carry data. Measured work fits well into two; more would only spread it and its memory. What a receiver computes
/// for long runs on threads of its own.
const MAX_WORKERS: usize = 2;

/// Runs the service until it is told to stop.
pub(crate) fn run(registry: &Registry, sources: Vec<Source>, keep_capabilities: bool) -> Exit {
    let loaded = match Loaded::read(registry, &sources, &environment) {
        Ok(loaded) => loaded,
        Err(problems) => {
            problems.iter().for_each(complain);
            return Exit::Failed;
        }
    };
    let log = Log::start(&loaded.service.telemetry.logs);
    process::raise_file_limit();
    // Before the first thread: rights are those of a thread, and later ones begin with those of the one that starts them.
    let mut keeper = None;
    let helper = match helper::separate(keep_capabilities, || keeper = prepare(&loaded)) {
        Ok(helper) => helper,
        Err(error) => {
            complain(format_args!("cannot give capabilities up: {error}; --keep-capabilities goes on with all of them"));
            return Exit::Failed;
        }
    };
    tell_rights(&helper);
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(error) => {
            complain(format_args!("cannot start threads: {error}"));
            return Exit::Failed;
        }
    };
    let exit = runtime.block_on(live(registry, sources, loaded, log));
    // What is still running at this point was given its time.
    runtime.shutdown_background();
    // Last: it waits until the last breakpoint is gone.
    drop(keeper);
    exit
}

/// Does what takes rights that are given up then.
fn prepare(loaded: &Loaded) -> Option<Running> {
    for id in loaded.document.ids(Kind::Receiver).iter().filter(|id| id.type_() == "godefer") {
        if let Ok(config) = loaded.document.decode::<deferd_receivers::godefer::Config>(Kind::Receiver, id) {
            return prepare_probes(&config.probes, helper::start_keeper);
        }
    }
    None
}

/// Says who has which rights. The helper itself ends with the value.
fn tell_rights(helper: &Helper) {
    match helper {
        Helper::Separate(running) => tracing::info!(
            helper = running.pid(),
            "Gave up all capabilities; a helper keeps the two that looking at other processes needs"
        ),
        Helper::Unchanged => {}
        Helper::TooFew => tracing::info!("Keeps its capabilities: a helper would need CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH"),
        Helper::Failed(error) => {
            tracing::warn!("Keeps its capabilities: the helper that was to have them does not work: {error}");
        }
    }
}

/// The threads a service runs on.
pub(crate) fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    let workers = available_parallelism().map_or(1, |cores| cores.get().min(MAX_WORKERS));
    tokio::runtime::Builder::new_multi_thread().worker_threads(workers).enable_all().build()
}

async fn live(registry: &Registry, sources: Vec<Source>, loaded: Loaded, log: Log) -> Exit {
    tracing::info!(version = env!("CARGO_PKG_VERSION"), pid = std::process::id(), "Starting deferd...");
    // Before anything else: a signal that comes while the service starts is answered as soon as it runs.
    let (sender, mut requests) = match Requests::listen() {
        Ok(requests) => requests,
        Err(error) => {
            complain(format_args!("cannot listen to signals: {error}"));
            return Exit::Failed;
        }
    };
    let mut service = match Service::start_for(registry, sources, environment, loaded, log, sender) {
        Ok(service) => service,
        Err(error) => {
            error.to_string().lines().for_each(complain);
            return Exit::Failed;
        }
    };
    service.announce();
    loop {
        match requests.next().await {
            Request::Reload(trigger, reply) => answer(reply, service.reload(trigger)),
            Request::Plan(text, reply) => answer(Some(reply), service.plan(text.as_deref())),
            Request::Stop(signal) => {
                tracing::info!(signal, "Received signal from OS");
                let Requests { mut signals, .. } = requests;
                return drain(service, &mut signals).await;
            }
        }
    }
}

/// Answers whoever waits for it. One that has gone needs no answer.
fn answer(reply: Option<oneshot::Sender<Report>>, report: Report) {
    if let Some(reply) = reply {
        let _ = reply.send(report);
    }
}

/// Stops the service, or gives up on a second request.
pub(crate) async fn drain(service: Service<'_>, signals: &mut Signals) -> Exit {
    tracing::info!("Starting shutdown...");
    tokio::select! {
        report = service.stop() => ended(report),
        signal = signals.stop() => {
            tracing::error!(signal, "Second signal: ends at once, what was not delivered is lost");
            Exit::Lost
        }
    }
}

fn ended(report: StopReport) -> Exit {
    if report.undelivered > 0 {
        tracing::error!(
            items = report.undelivered,
            "The drain deadline passed: items were accepted and not delivered; service::shutdown_timeout allows more time"
        );
        return Exit::Lost;
    }
    tracing::info!("Shutdown complete.");
    Exit::Done
}
