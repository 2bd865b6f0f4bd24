//! Processes that could not be attached, and why: each is told once and not tried over and over.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use deferd_goproc::target::{AttachError, Candidate};

/// Attempts at a process whose self-check failed or whose kernel answers were odd, before it is given up.
const ATTEMPTS: u32 = 3;

/// A missing right may be given while we run, so it is asked for again after this long.
const RIGHT_AGAIN: Duration = Duration::from_mins(1);

/// The reason under which a missing right is shown.
const NO_PERMISSION: &str = "no_permission";

/// One execution of a program: a process that calls `exec` is another candidate.
type Execution = (u32, u64, Option<PathBuf>);

/// The candidates that are not attached.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    known: HashMap<Execution, Refusal>,
}

#[derive(Debug)]
struct Refusal {
    attempts: u32,
    reason: Option<Reason>,
    at: Instant,
}

/// Why, as far as it concerns the operator.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Reason {
    name: &'static str,
    message: String,
}

impl Refusals {
    /// Whether to leave this candidate alone.
    pub(super) fn contains(&self, candidate: &Candidate, now: Instant) -> bool {
        self.known.get(&execution(candidate)).is_some_and(|refusal| {
            let right = refusal.reason.as_ref().is_some_and(|reason| reason.name == NO_PERMISSION);
            refusal.attempts >= ATTEMPTS && !(right && now.saturating_duration_since(refusal.at) >= RIGHT_AGAIN)
        })
    }

    /// Remembers a failure. Returns whether it is final and has not been told before.
    pub(super) fn add(&mut self, candidate: &Candidate, error: &AttachError, now: Instant) -> bool {
        let (reason, is_final) = match error {
            AttachError::Gone { .. } | AttachError::NotReady { .. } => return false,
            AttachError::NotGo { .. } => (None, true),
            AttachError::Denied { .. } | AttachError::Unreadable { .. } => (Some(NO_PERMISSION), true),
            AttachError::Unsupported { .. } => (Some("unsupported"), true),
            AttachError::SelfCheck { .. } => (Some("self_check"), false),
            AttachError::System { .. } => (Some("system"), false),
        };
        let reason = reason.map(|name| Reason { name, message: error.to_string() });
        let refusal = self.known.entry(execution(candidate)).or_insert(Refusal { attempts: 0, reason: None, at: now });
        let told = refusal.attempts >= ATTEMPTS && refusal.reason == reason;
        refusal.attempts = if is_final { ATTEMPTS } else { refusal.attempts.saturating_add(1) };
        refusal.reason = reason;
        refusal.at = now;
        refusal.attempts >= ATTEMPTS && refusal.reason.is_some() && !told
    }

    /// Forgets a failure that has passed.
    pub(super) fn remove(&mut self, candidate: &Candidate) {
        self.known.remove(&execution(candidate));
    }

    /// Forgets everybody who is not among the candidates any more.
    pub(super) fn retain(&mut self, candidates: &[Candidate]) {
        let present: std::collections::HashSet<Execution> = candidates.iter().map(execution).collect();
        self.known.retain(|execution, _| present.contains(execution));
    }

    /// What is wrong now: per reason how many processes, and the message of one of them.
    pub(super) fn summary(&self) -> BTreeMap<&'static str, (usize, String)> {
        let mut summary: BTreeMap<&'static str, (usize, String)> = BTreeMap::new();
        for reason in
            self.known.values().filter(|refusal| refusal.attempts >= ATTEMPTS).filter_map(|refusal| refusal.reason.as_ref())
        {
            let (count, message) = summary.entry(reason.name).or_insert_with(|| (0, reason.message.clone()));
            *count += 1;
            // The smallest, so that the choice does not change from one look to the next.
            if reason.message < *message {
                message.clone_from(&reason.message);
            }
        }
        summary
    }
}

fn execution(candidate: &Candidate) -> Execution {
    (candidate.pid, candidate.start_ticks, candidate.executable.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(pid: u32) -> Candidate {
        Candidate { pid, executable: None, command_line: vec![], uid: None, start_ticks: 1, started: None }
    }

    #[test]
    fn a_missing_right_is_told_once_and_forgotten_with_the_process() {
        let mut refusals = Refusals::default();
        let denied = AttachError::Denied { pid: 1, what: "reading the memory" };
        let now = Instant::now();
        assert!(refusals.add(&candidate(1), &denied, now));
        assert!(refusals.contains(&candidate(1), now));
        assert_eq!(refusals.summary().get("no_permission").map(|(count, _)| *count), Some(1));
        refusals.retain(&[candidate(2)]);
        assert!(!refusals.contains(&candidate(1), now) && refusals.summary().is_empty());
    }

    #[test]
    fn a_failed_self_check_is_tried_again_before_it_is_told() {
        let mut refusals = Refusals::default();
        let failed = AttachError::SelfCheck { pid: 1, reason: "x".into() };
        let told: Vec<bool> = (0..3).map(|_| refusals.add(&candidate(1), &failed, Instant::now())).collect();
        assert_eq!(told, [false, false, true]);
    }

    #[test]
    fn a_runtime_that_is_not_up_yet_is_no_refusal() {
        let mut refusals = Refusals::default();
        assert!(!refusals.add(&candidate(1), &AttachError::NotReady { pid: 1 }, Instant::now()));
        assert!(!refusals.contains(&candidate(1), Instant::now()));
    }

    #[test]
    fn a_right_that_was_given_meanwhile_is_noticed_and_a_missing_one_not_told_again() {
        let mut refusals = Refusals::default();
        let denied = AttachError::Denied { pid: 1, what: "reading the memory" };
        let start = Instant::now();
        assert!(refusals.add(&candidate(1), &denied, start));
        let later = start + RIGHT_AGAIN;
        assert!(!refusals.contains(&candidate(1), later), "it is tried again");
        assert!(!refusals.add(&candidate(1), &denied, later), "and not told again");
        assert!(refusals.contains(&candidate(1), later));
        refusals.remove(&candidate(1));
        assert!(refusals.summary().is_empty());
    }
}
