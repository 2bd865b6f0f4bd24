//! What the receiver says about itself: log lines, health, and how many processes it watches.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use deferd_component::BuildContext;
use deferd_component::telemetry::{Gauge, Health};

use super::probes::Status;
use super::session::{News, Session, Settings, Step};
use super::spent::Meter;

/// Every reason for which the receiver can be degraded; the first four are those of [`super::refusals::Refusals::summary`].
const REASONS: [&str; 7] = ["no_permission", "unsupported", "self_check", "system", LOOK_FAILED, NO_TARGET, NO_PROBES];
/// Looks go on, and what probes would tell is missing.
const NO_PROBES: &str = "no_probes";
/// A watched process could not be looked at.
const LOOK_FAILED: &str = "look_failed";
/// Processes are named, and none of them runs.
const NO_TARGET: &str = "no_target";

/// The receiver's voice.
#[derive(Debug)]
pub(super) struct Report {
    path: String,
    health: Arc<Health>,
    watched: Gauge,
    cpu: Meter,
    may_read_all: bool,
}

impl Report {
    pub(super) fn new(context: &BuildContext) -> Self {
        let labels = vec![("receiver", context.id.to_string())];
        let watched = context.telemetry.gauge("deferd_godefer_watched_processes", "Go processes under watch", labels);
        let cpu = Meter::new(&context.telemetry, &context.id.to_string());
        Self { path: context.path(), health: Arc::clone(&context.health), watched, cpu, may_read_all: may_read_all() }
    }

    /// Shows what a step brought.
    pub(super) fn show(&self, session: &Session, settings: &Settings, step: &Step) {
        #[expect(clippy::cast_precision_loss, reason = "there are no 2^53 processes")]
        self.watched.set(session.watched() as f64);
        self.cpu.show(session.spent(), Instant::now());
        for news in &step.news {
            match news {
                News::Watching(label) => tracing::info!(component = self.path, "watching {label}"),
                News::Ended(label) => tracing::info!(component = self.path, "no longer watching {label}"),
                News::Refused(message) => tracing::warn!(component = self.path, "{message}"),
                News::Failed(message) => tracing::debug!(component = self.path, "{message}"),
                News::Works | News::Probes => {}
            }
        }
        if !step.news.is_empty() || session.watched() == 0 {
            self.show_health(session, settings);
        }
    }

    fn show_health(&self, session: &Session, settings: &Settings) {
        let mut wrong = wrong(session, settings.selection.is_explicit(), self.may_read_all);
        if let Some(Status::Failed(reason, text)) = session.probes(settings) {
            wrong.insert(NO_PROBES, format!("snapshots only ({reason}): {text}"));
        }
        for reason in REASONS {
            let Some(text) = wrong.get(reason) else {
                self.health.recover(&self.path, reason);
                continue;
            };
            // A named process that is refused was told by name already.
            let told = settings.selection.is_explicit() && ![LOOK_FAILED, NO_TARGET, NO_PROBES].contains(&reason);
            if self.degrade(reason, text) && !told {
                tracing::warn!(component = self.path, reason, "{text}");
            }
        }
    }

    /// Whether the reason is new. Its text names a number of processes, which changes as they come and go and is no news.
    fn degrade(&self, reason: &str, text: &str) -> bool {
        let known = self.health.is_degraded(&self.path, reason);
        self.health.degrade(&self.path, reason, text) && !known
    }
}

/// What is wrong now, by reason. Where everything is watched that can be, programs of versions that are not understood are no
/// fault; where processes were named, they are. Nor is one that the kernel hides even from those who have the right.
fn wrong(session: &Session, is_explicit: bool, may_read_all: bool) -> BTreeMap<&'static str, String> {
    let several = |count: usize, message: &str| match count {
        1 => message.to_owned(),
        count => format!("{count} processes, for example: {message}"),
    };
    let refused = session.refusals().summary();
    let nobody = is_explicit && session.watched() == 0 && refused.is_empty();
    let shown = refused.into_iter().filter(|(reason, _)| is_explicit || (*reason == "no_permission" && !may_read_all));
    let mut wrong: BTreeMap<_, _> = shown.map(|(reason, (count, message))| (reason, several(count, &message))).collect();
    if let Some((count, message)) = session.failing() {
        wrong.insert(LOOK_FAILED, several(count, message));
    }
    if nobody {
        wrong.insert(NO_TARGET, "no running Go process fits targets::include".to_owned());
    }
    wrong
}

/// Whether this process has `CAP_SYS_PTRACE`, or a helper has it: then a process that may not be read is one that no right of ours
/// opens.
fn may_read_all() -> bool {
    deferd_goproc::target::opens_through_another()
        || std::fs::read_to_string("/proc/self/status").is_ok_and(|status| has_ptrace(&status))
}

fn has_ptrace(status: &str) -> bool {
    /// `CAP_SYS_PTRACE` of `<linux/capability.h>`.
    const CAP_SYS_PTRACE: u64 = 19;
    let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    effective.and_then(|set| u64::from_str_radix(set.trim(), 16).ok()).is_some_and(|set| set >> CAP_SYS_PTRACE & 1 == 1)
}

#[cfg(test)]
mod tests {
    use deferd_component::telemetry::Telemetry;

    use super::*;

    #[test]
    fn a_missing_right_is_news_once_however_many_processes_it_concerns() {
        let telemetry = Telemetry::default();
        let (watched, cpu) = (telemetry.gauge("watched", "", Vec::new()), Meter::new(&telemetry, "godefer"));
        let report = Report { path: "receivers::godefer".to_owned(), health: Arc::default(), watched, cpu, may_read_all: false };
        report.health.register(&report.path);
        assert!(report.degrade("no_permission", "46 processes"));
        assert!(!report.degrade("no_permission", "47 processes"));
        assert!(report.degrade("system", "1 process"));
        assert!(report.health.recover(&report.path, "no_permission"));
        assert!(report.degrade("no_permission", "46 processes"));
    }

    #[test]
    fn named_processes_of_which_none_runs_are_a_fault_and_no_process_at_all_is_none() {
        let nobody = Session::default();
        assert_eq!(wrong(&nobody, true, false).into_keys().collect::<Vec<_>>(), [NO_TARGET]);
        assert!(wrong(&nobody, false, false).is_empty());
    }

    #[test]
    fn the_right_is_read_from_the_effective_set() {
        assert!(has_ptrace("CapPrm:\t0000000000000000\nCapEff:\t0000000000080000\n"));
        assert!(!has_ptrace("CapPrm:\t0000000000080000\nCapEff:\t0000000000000000\n"));
    }
}
