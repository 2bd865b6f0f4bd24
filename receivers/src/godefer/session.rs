//! Who is watched, across configurations. All of it blocks, so it runs on a thread for blocking work.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant, SystemTime};

use deferd_component::Refusal;
use deferd_goproc::snapshot::SnapshotOptions;
use deferd_goproc::target::{Candidate, ImageCache, Liveness, SnapshotError, Target, discover};
use deferd_goproc::walk::thread_cpu;

use super::budget::Budget;
use super::config::Config;
use super::ends::{Ends, Waiter};
use super::probes::{Outlet, Prober, Status};
use super::refusals::Refusals;
use super::schedule::{Process, Work, choose};
use super::selection::Selection;
use super::spent::Spent;
use super::watched::{Ended, Outgoing, Watched};

/// Files of processes are counted together if their counts are due within so much.
const COUNTED_TOGETHER: Duration = Duration::from_millis(500);

/// End marks that could not be delivered and wait for another attempt. Past this the oldest are given up; their series end by
/// expiry.
const MAX_ENDING: usize = 1024;

/// The watched processes and what is remembered about the others. Survives reloads.
#[derive(Debug, Default)]
pub(super) struct Session {
    images: ImageCache,
    watched: BTreeMap<Process, Watched>,
    refusals: Refusals,
    /// Watched processes whose last look failed, and why.
    failing: BTreeMap<Process, String>,
    /// In the order in which they ended.
    ending: Vec<(Process, Ended)>,
    ends: Ends,
    /// What was not yet told.
    news: Vec<News>,
    discovered: Option<Instant>,
    budget: Option<Budget>,
    spent: Spent,
    prober: Option<Prober>,
    /// How the probes were at the last step.
    probes: Option<Status>,
}

/// A configuration in the form in which it is used.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) config: Config,
    pub(super) selection: Selection,
}

/// What one step of work brought.
#[derive(Debug, Default)]
pub(super) struct Step {
    /// A request to be sent, and about whom.
    pub(super) outgoing: Option<(Subject, Outgoing)>,
    /// Lines for the log.
    pub(super) news: Vec<News>,
    /// When there will be something to do again; now, if `None`.
    pub(super) next: Option<Instant>,
}

/// Whom a request is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Subject {
    /// A process under watch.
    Watched(Process),
    /// A process whose end is told.
    Ended(Process),
}

/// Something the operator may want to know.
#[derive(Debug)]
pub(super) enum News {
    Watching(String),
    Ended(String),
    Refused(String),
    /// A look failed; the process stays watched.
    Failed(String),
    /// A process whose last look had failed was looked at.
    Works,
    /// The probes are not as they were.
    Probes,
}

impl Session {
    /// Starts over with other settings: everything is looked for anew, at once. What probes record goes to `outlet`.
    pub(super) fn configure(&mut self, settings: &Settings, outlet: Outlet, now: Instant) {
        self.configure_probes(settings, outlet);
        let share = settings.config.max_agent_cpu.ratio();
        self.budget.get_or_insert_with(|| Budget::new(share, now)).set_share(share, now);
        self.ends.open();
        self.discovered = None;
        // Who was refused may be given the missing right together with the new configuration.
        self.refusals = Refusals::default();
    }

    fn configure_probes(&mut self, settings: &Settings, outlet: Outlet) {
        let (wanted, share) = (&settings.config.probes, settings.config.max_agent_cpu.ratio());
        match &self.prober {
            Some(prober) => prober.configure(wanted.clone(), share),
            None if wanted.enabled => match Prober::start(wanted.clone(), share, outlet) {
                Ok(prober) => {
                    for (process, watched) in &self.watched {
                        prober.watch(watched.probed(*process));
                    }
                    self.prober = Some(prober);
                }
                Err(error) => tracing::warn!("no probes: {error}"),
            },
            None => {}
        }
    }

    /// How the probes are; `None` if none are wanted.
    pub(super) fn probes(&self, settings: &Settings) -> Option<Status> {
        self.prober.as_ref().filter(|_| settings.config.probes.enabled).map(Prober::status)
    }

    pub(super) fn watched(&self) -> usize {
        self.watched.len()
    }

    /// What all of it has cost deferd.
    pub(super) fn spent(&self) -> Spent {
        self.spent
    }

    pub(super) fn refusals(&self) -> &Refusals {
        &self.refusals
    }

    /// Watched processes whose last look failed, and why one of them did.
    pub(super) fn failing(&self) -> Option<(usize, &str)> {
        self.failing.values().next().map(|message| (self.failing.len(), message.as_str()))
    }

    /// Waits for the end of a watched process.
    pub(super) fn waiter(&self) -> Waiter {
        self.ends.waiter()
    }

    /// Lets go of the processes that have ended. Cheap, so that it is done whatever else is waited for.
    pub(super) fn release_ended(&mut self) {
        if !self.ends.may_be_any() {
            return;
        }
        let ended = self.watched.iter().filter(|(_, watched)| watched.has_ended()).map(|(process, _)| *process);
        for process in ended.collect::<Vec<_>>() {
            self.end(process);
        }
    }

    /// Does one piece of work: a discovery, a count, a look, or nothing if nothing is due.
    pub(super) fn step(&mut self, settings: &Settings) -> Step {
        self.release_ended();
        self.pay_for_probes();
        let mut step = Step::default();
        self.work(settings, &mut step);
        step.news.append(&mut self.news);
        // That they cannot be loaded turns out when the first processes are watched already.
        let probes = self.prober.as_ref().map(Prober::status);
        if probes != self.probes {
            self.probes = probes;
            step.news.push(News::Probes);
        }
        step
    }

    fn work(&mut self, settings: &Settings, step: &mut Step) {
        let now = Instant::now();
        if let Some((process, ending)) = self.ending.first() {
            step.outgoing = ending.end().map(|outgoing| (Subject::Ended(*process), outgoing));
            if step.outgoing.is_none() {
                self.ending.remove(0);
            }
            return;
        }
        let solvent = self.budget.as_mut().map_or(now, |budget| budget.solvent_at(now));
        if solvent > now {
            step.next = Some(solvent);
            return;
        }
        let discovery = self.discovered.map(|at| at + settings.config.discovery_interval.get());
        let interval = settings.config.snapshot.interval.get();
        let count = self.watched.values().filter_map(Watched::count_due).min();
        let looks = self.watched.iter().map(|(process, watched)| (watched.due(interval), *process));
        match choose(now, discovery, count, looks) {
            Work::Discover => self.discover(settings, now),
            Work::Count => self.count_files(now),
            Work::Look(process) => self.look(process, settings, step),
            Work::Wait(until) => step.next = Some(until),
        }
    }

    fn count_files(&mut self, now: Instant) {
        let before = thread_cpu();
        // Those that are nearly due too, so that they are done in one go from then on.
        let soon = now + COUNTED_TOGETHER;
        let prober = self.prober.as_ref();
        for (process, watched) in &mut self.watched {
            if watched.count_due().is_some_and(|due| due <= soon)
                && let Some(grow) = watched.count_files(now)
                && let Some(prober) = prober
            {
                prober.files_grow(*process, grow);
            }
        }
        self.spend(thread_cpu().saturating_sub(before));
    }

    /// What became of the request of a step.
    pub(super) fn settle(&mut self, subject: Subject, outgoing: Outgoing, sent: Result<(), Refusal>) {
        match subject {
            Subject::Watched(process) => {
                let watched = self.watched.get_mut(&process).map(Watched::known);
                // It may have ended while the request was on its way, and its series are to be ended all the same.
                let mut ended = self.ending.iter_mut().filter(|(other, _)| *other == process).map(|(_, ended)| ended.known());
                if let Some(known) = watched.or_else(|| ended.next()) {
                    known.settle(outgoing, sent.is_ok());
                }
            }
            // Sending again what is refused for good would hold up every look for ever; those series end by expiry.
            Subject::Ended(process) if is_over(sent) => self.ending.retain(|(other, _)| *other != process),
            Subject::Ended(_) => {}
        }
    }

    fn look(&mut self, process: Process, settings: &Settings, step: &mut Step) {
        let Some(watched) = self.watched.get_mut(&process) else { return };
        let limits = &settings.config.snapshot;
        let options = SnapshotOptions {
            max_goroutines: limits.max_goroutines,
            max_records: limits.max_records,
            max_open_coded_goroutines: limits.max_open_coded_goroutines,
            ..SnapshotOptions::default()
        };
        // All of it, also of a look that fails: reading, adding up and encoding.
        let before = thread_cpu();
        let prober = self.prober.as_ref();
        let looked = watched.look(&options, settings.config.max_sites, || prober?.figures(process));
        self.spend(thread_cpu().saturating_sub(before));
        match looked {
            Ok(outgoing) => {
                if self.failing.remove(&process).is_some() {
                    self.news.push(News::Works);
                }
                step.outgoing = Some((Subject::Watched(process), outgoing));
            }
            Err(SnapshotError::Over { liveness, .. }) => {
                self.end(process);
                if liveness == Liveness::Replaced {
                    // It runs something else now, which may be worth watching.
                    self.discovered = None;
                }
            }
            Err(error) => {
                let message = error.to_string();
                self.failing.insert(process, message.clone());
                self.news.push(News::Failed(message));
            }
        }
    }

    /// What probing costs is spent already: looks are what can wait.
    fn pay_for_probes(&mut self) {
        let probes = self.prober.as_ref().map_or(Duration::ZERO, Prober::spent);
        let cost = probes.saturating_sub(self.spent.probes);
        self.spent.probes = probes;
        if let Some(budget) = &mut self.budget {
            budget.spend_for_another(cost, Instant::now());
        }
    }

    fn spend(&mut self, cost: Duration) {
        self.spent.looks += cost;
        if let Some(budget) = &mut self.budget {
            budget.spend(cost, Instant::now());
        }
    }

    /// Lets go of everything of a process; what is left is to tell its end.
    fn end(&mut self, process: Process) {
        let Some(watched) = self.watched.remove(&process) else { return };
        if let Some(prober) = &self.prober {
            prober.forget(process);
        }
        self.failing.remove(&process);
        self.news.push(News::Ended(watched.label()));
        if self.ending.len() >= MAX_ENDING {
            self.ending.remove(0);
        }
        self.ending.push((process, watched.into_ended()));
    }

    /// Compares who is there with who is watched.
    fn discover(&mut self, settings: &Settings, now: Instant) {
        let before = thread_cpu();
        let candidates: Vec<Candidate> = discover().collect();
        let wanted: Vec<&Candidate> = candidates.iter().filter(|candidate| settings.selection.selects(candidate)).collect();
        let present: BTreeSet<Process> = wanted.iter().map(|candidate| (candidate.pid, candidate.start_ticks)).collect();
        let over: Vec<Process> = self.watched.keys().filter(|process| !present.contains(process)).copied().collect();
        for process in over {
            self.end(process);
        }
        self.discovered = Some(now);
        self.refusals.retain(&candidates);
        for candidate in wanted {
            self.consider(candidate, settings);
        }
        self.spend(thread_cpu().saturating_sub(before));
    }

    fn consider(&mut self, candidate: &Candidate, settings: &Settings) {
        let process = (candidate.pid, candidate.start_ticks);
        if self.watched.contains_key(&process)
            || self.refusals.contains(candidate, Instant::now())
            || is_young(candidate, settings)
        {
            return;
        }
        match Target::attach_with(candidate.pid, &self.images) {
            Ok(target) => {
                self.ends.add(target.pidfd());
                let watched = Watched::new(target);
                if let Some(prober) = &self.prober {
                    prober.watch(watched.probed(process));
                }
                self.news.push(News::Watching(watched.label()));
                self.refusals.remove(candidate);
                self.watched.insert(process, watched);
            }
            Err(error) => {
                let told = self.refusals.add(candidate, &error, Instant::now());
                if told && settings.selection.is_explicit() {
                    self.news.push(News::Refused(error.to_string()));
                }
            }
        }
    }
}

/// Whether there is nothing to be sent again.
fn is_over(sent: Result<(), Refusal>) -> bool {
    sent.err().is_none_or(|refusal| !refusal.kind.is_retryable())
}

/// A start in the future is a clock that was set back; such a process is not young.
fn is_young(candidate: &Candidate, settings: &Settings) -> bool {
    let age = candidate.started.and_then(|started| SystemTime::now().duration_since(started).ok());
    age.is_some_and(|age| age < settings.config.min_age.get())
}

#[cfg(test)]
mod tests {
    use deferd_component::RefusalKind;

    use super::*;

    #[test]
    fn only_what_may_be_taken_later_is_sent_again() {
        assert!(is_over(Ok(())));
        assert!(is_over(Err(Refusal::new(RefusalKind::Invalid))));
        assert!(!is_over(Err(Refusal::new(RefusalKind::QueueFull))));
    }
}
