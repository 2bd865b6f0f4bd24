//! Who is watched, across configurations. All of it blocks, so it runs on a thread for blocking work.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant, SystemTime};

use deferd_component::Refusal;
use deferd_goproc::snapshot::SnapshotOptions;
use deferd_goproc::target::{Candidate, ImageCache, SnapshotError, Target, discover};
use deferd_goproc::walk::thread_cpu;

use tokio::sync::mpsc::Sender;

use super::budget::Budget;
use super::config::Config;
use super::probes::{LogEntry, Prober, Status};
use super::refusals::Refusals;
use super::selection::Selection;
use super::watched::{Outgoing, Watched};

/// End marks that could not be delivered and wait for another attempt. Past this the oldest are given up; their series end by
/// expiry.
const MAX_ENDING: usize = 1024;

/// Pid and start, in clock ticks from boot: names a process, whatever program it runs.
type Process = (u32, u64);

/// The watched processes and what is remembered about the others. Survives reloads.
#[derive(Debug, Default)]
pub(super) struct Session {
    images: ImageCache,
    watched: BTreeMap<Process, Watched>,
    refusals: Refusals,
    /// Watched processes whose last look failed, and why.
    failing: BTreeMap<Process, String>,
    ending: Vec<Watched>,
    discovered: Option<Instant>,
    budget: Option<Budget>,
    prober: Option<Prober>,
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
    /// The first of those whose end is to be told.
    Ending,
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
}

impl Session {
    /// Starts over with other settings: everything is looked for anew, at once. What probes record goes to `logs`.
    pub(super) fn configure(&mut self, settings: &Settings, logs: &Sender<LogEntry>, now: Instant) {
        self.configure_probes(settings, logs);
        let share = settings.config.max_agent_cpu.ratio();
        self.budget.get_or_insert_with(|| Budget::new(share, now)).set_share(share, now);
        self.discovered = None;
        // Who was refused may be given the missing right together with the new configuration.
        self.refusals = Refusals::default();
    }

    fn configure_probes(&mut self, settings: &Settings, logs: &Sender<LogEntry>) {
        let wanted = &settings.config.probes;
        match &self.prober {
            Some(prober) => prober.configure(wanted.clone()),
            None if wanted.enabled => match Prober::start(wanted.clone(), logs.clone()) {
                Ok(prober) => {
                    let subjects = self.watched.iter().filter_map(|(process, watched)| watched.probed(*process));
                    subjects.for_each(|subject| prober.watch(subject));
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

    pub(super) fn refusals(&self) -> &Refusals {
        &self.refusals
    }

    /// Watched processes whose last look failed, and why one of them did.
    pub(super) fn failing(&self) -> Option<(usize, &str)> {
        self.failing.values().next().map(|message| (self.failing.len(), message.as_str()))
    }

    /// Does one piece of work: a discovery, a look, or nothing if nothing is due.
    pub(super) fn step(&mut self, settings: &Settings) -> Step {
        let now = Instant::now();
        let mut step = Step::default();
        if let Some(ending) = self.ending.first() {
            step.outgoing = ending.end().map(|outgoing| (Subject::Ending, outgoing));
            if step.outgoing.is_none() {
                self.ending.remove(0);
            }
            return step;
        }
        let solvent = self.budget.as_mut().map_or(now, |budget| budget.solvent_at(now));
        if solvent > now {
            step.next = Some(solvent);
            return step;
        }
        let discovery = self.discovered.map(|at| at + settings.config.discovery_interval.get());
        let interval = settings.config.snapshot.interval.get();
        let looks = self.watched.iter().map(|(process, watched)| (watched.due(interval), *process));
        match choose(now, discovery, looks) {
            Work::Discover => self.discover(settings, now, &mut step),
            Work::Look(process) => self.look(process, settings, &mut step),
            Work::Wait(until) => step.next = Some(until),
        }
        step
    }

    /// What became of the request of a step.
    pub(super) fn settle(&mut self, subject: Subject, outgoing: Outgoing, sent: Result<(), Refusal>) {
        match subject {
            Subject::Watched(process) => {
                if let Some(watched) = self.watched.get_mut(&process) {
                    watched.settle(outgoing, sent.is_ok());
                }
            }
            // Sending again what is refused for good would hold up every look for ever; those series end by expiry.
            Subject::Ending if !self.ending.is_empty() && is_over(sent) => drop(self.ending.remove(0)),
            Subject::Ending => {}
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
                    step.news.push(News::Works);
                }
                step.outgoing = Some((Subject::Watched(process), outgoing));
            }
            Err(SnapshotError::Over { .. }) => self.end(process, step),
            Err(error) => {
                let message = error.to_string();
                self.failing.insert(process, message.clone());
                step.news.push(News::Failed(message));
            }
        }
    }

    fn spend(&mut self, cost: Duration) {
        if let Some(budget) = &mut self.budget {
            budget.spend(cost, Instant::now());
        }
    }

    fn end(&mut self, process: Process, step: &mut Step) {
        let Some(watched) = self.watched.remove(&process) else { return };
        if let Some(prober) = &self.prober {
            prober.forget(process);
        }
        self.failing.remove(&process);
        step.news.push(News::Ended(watched.label()));
        if self.ending.len() >= MAX_ENDING {
            self.ending.remove(0);
        }
        self.ending.push(watched);
        // A process that ended by `exec` runs something else now, which may be worth watching.
        self.discovered = None;
    }

    /// Compares who is there with who is watched.
    fn discover(&mut self, settings: &Settings, now: Instant, step: &mut Step) {
        let before = thread_cpu();
        let candidates: Vec<Candidate> = discover().collect();
        let wanted: Vec<&Candidate> = candidates.iter().filter(|candidate| settings.selection.selects(candidate)).collect();
        let present: BTreeSet<Process> = wanted.iter().map(|candidate| (candidate.pid, candidate.start_ticks)).collect();
        let over: Vec<Process> = self.watched.keys().filter(|process| !present.contains(process)).copied().collect();
        for process in over {
            self.end(process, step);
        }
        // After the ends, which ask for a discovery: this is it.
        self.discovered = Some(now);
        self.refusals.retain(&candidates);
        for candidate in wanted {
            self.consider(candidate, settings, step);
        }
        self.spend(thread_cpu().saturating_sub(before));
    }

    fn consider(&mut self, candidate: &Candidate, settings: &Settings, step: &mut Step) {
        let process = (candidate.pid, candidate.start_ticks);
        if self.watched.contains_key(&process)
            || self.refusals.contains(candidate, Instant::now())
            || is_young(candidate, settings)
        {
            return;
        }
        match Target::attach_with(candidate.pid, &self.images) {
            Ok(target) => {
                let watched = Watched::new(target);
                if let Some((prober, subject)) = self.prober.as_ref().zip(watched.probed(process)) {
                    prober.watch(subject);
                }
                step.news.push(News::Watching(watched.label()));
                self.refusals.remove(candidate);
                self.watched.insert(process, watched);
            }
            Err(error) => {
                let told = self.refusals.add(candidate, &error, Instant::now());
                if told && settings.selection.is_explicit() {
                    step.news.push(News::Refused(error.to_string()));
                }
            }
        }
    }
}

/// Whether there is nothing to be sent again.
fn is_over(sent: Result<(), Refusal>) -> bool {
    sent.err().is_none_or(|refusal| !refusal.kind.is_retryable())
}

/// A piece of work.
#[derive(Debug, PartialEq, Eq)]
enum Work {
    Discover,
    Look(Process),
    /// Nothing is due until then.
    Wait(Instant),
}

/// What has been due longest, so that nothing is put off for ever where the budget does not suffice for everything. A `discovery`
/// that was never made comes first.
fn choose(now: Instant, discovery: Option<Instant>, looks: impl Iterator<Item = (Instant, Process)>) -> Work {
    let Some(discovery) = discovery else { return Work::Discover };
    match looks.min() {
        Some((due, process)) if due <= now && due < discovery => Work::Look(process),
        _ if discovery <= now => Work::Discover,
        first => Work::Wait(first.map_or(discovery, |(due, _)| due.min(discovery))),
    }
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
    fn under_a_budget_that_never_suffices_everybody_gets_a_turn() {
        let (start, second) = (Instant::now(), Duration::from_secs(1));
        let (mut discovery, mut discoveries) = (Some(start), 0);
        let mut looks: BTreeMap<Process, (Instant, u32)> = (0..4).map(|pid| ((pid, 0), (start, 0))).collect();
        // Every piece of work takes as long as the interval between two of a kind should be.
        for step in 1..=60_u32 {
            let now = start + second * step;
            match choose(now, discovery, looks.iter().map(|(process, (due, _))| (*due, *process))) {
                Work::Discover => {
                    (discovery, discoveries) = (Some(now + second), discoveries + 1);
                    // A process that is found while all others are late.
                    looks.entry((9, 0)).or_insert((now, 0));
                }
                Work::Look(process) => {
                    let (due, count) = looks.get_mut(&process).unwrap();
                    (*due, *count) = (now + second, *count + 1);
                }
                Work::Wait(_) => panic!("there is too much work to wait"),
            }
        }
        assert!(discoveries >= 9, "{discoveries}");
        assert!(looks.len() == 5 && looks.values().all(|(_, count)| *count >= 9), "{looks:?}");
    }

    #[test]
    fn nothing_is_due_before_its_time() {
        let (now, second) = (Instant::now(), Duration::from_secs(1));
        let look = |after| (now + second * after, (1, 0));
        assert_eq!(choose(now, None, std::iter::once(look(0))), Work::Discover);
        assert_eq!(choose(now, Some(now + second), std::iter::once(look(2))), Work::Wait(now + second));
        assert_eq!(choose(now, Some(now + second), std::iter::once(look(0))), Work::Look((1, 0)));
        assert_eq!(choose(now, Some(now + second), std::iter::empty()), Work::Wait(now + second));
    }

    #[test]
    fn only_what_may_be_taken_later_is_sent_again() {
        assert!(is_over(Ok(())));
        assert!(is_over(Err(Refusal::new(RefusalKind::Invalid))));
        assert!(!is_over(Err(Refusal::new(RefusalKind::QueueFull))));
    }
}
