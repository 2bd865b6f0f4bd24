//! What probing costs deferd itself.

use std::time::{Duration, Instant};

use deferd_goproc::target::thread_cpu_time;
use deferd_goproc::walk::thread_cpu;

use super::super::budget::Budget;

/// The name of the thread that removes breakpoints.
const REMOVAL: &str = "deferd-removal";

/// The CPU time of the thread that probes and of the one that removes breakpoints, and what of it may be spent: half of what
/// deferd may spend on looking. Only windows can wait for that; what is in place is to be read.
#[derive(Debug)]
pub(super) struct Effort {
    budget: Budget,
    removal: Option<u32>,
    /// At the beginning: loading and trying the programs, which is done once, is not counted.
    began: Duration,
    spent: Duration,
}

impl Effort {
    /// Counts from now on, for the thread that calls. `others` are the threads of this name that are somebody else's.
    pub(super) fn new(share: f64, others: &[u32], now: Instant) -> Self {
        let removal = removal_threads().into_iter().find(|thread| !others.contains(thread));
        let mut new = Self { budget: Budget::new(share / 2.0, now), removal, began: Duration::ZERO, spent: Duration::ZERO };
        new.began = new.all();
        new
    }

    pub(super) fn set_share(&mut self, share: f64, now: Instant) {
        self.budget.set_share(share / 2.0, now);
    }

    /// Charges what was spent since the last time, and returns what was spent in all.
    pub(super) fn settle(&mut self, now: Instant) -> Duration {
        let all = self.all().saturating_sub(self.began);
        self.budget.spend(all.saturating_sub(self.spent), now);
        self.spent = self.spent.max(all);
        self.spent
    }

    /// When there may be windows again: now, or later.
    pub(super) fn solvent_at(&mut self, now: Instant) -> Instant {
        self.budget.solvent_at(now)
    }

    fn all(&self) -> Duration {
        thread_cpu() + self.removal.and_then(thread_cpu_time).unwrap_or_default()
    }
}

/// The threads of this process that remove breakpoints; each receiver that probes has one.
pub(super) fn removal_threads() -> Vec<u32> {
    let tasks = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let removes = |name: std::io::Result<String>| name.is_ok_and(|name| name.trim_end() == REMOVAL);
    tasks
        .filter(|task| removes(std::fs::read_to_string(task.path().join("comm"))))
        .filter_map(|task| task.file_name().to_str()?.parse().ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn work_until(done: impl Fn() -> bool) {
        let begin = Instant::now();
        while !done() {
            assert!(begin.elapsed() < Duration::from_secs(30));
        }
    }

    #[test]
    fn work_of_both_threads_is_counted_and_windows_wait_for_it_to_be_paid() {
        let others = removal_threads();
        let (end, ended) = std::sync::mpsc::channel::<()>();
        let (say, said) = std::sync::mpsc::channel();
        let spawned = std::thread::Builder::new().name(REMOVAL.to_owned()).spawn(move || {
            say.send(()).unwrap();
            let _ = ended.recv();
            work_until(|| thread_cpu() > Duration::from_millis(20));
            say.send(()).unwrap();
            let _ = ended.recv();
        });
        let thread = spawned.unwrap();
        said.recv().unwrap();
        let now = Instant::now();
        let mut effort = Effort::new(0.002, &others, now);
        assert_eq!(effort.solvent_at(now), now);
        let before = thread_cpu();
        work_until(|| thread_cpu() > before + Duration::from_millis(20));
        let own = effort.settle(now);
        assert!(own >= Duration::from_millis(20), "{own:?}");
        end.send(()).unwrap();
        said.recv().unwrap();
        let both = effort.settle(now);
        assert!(both >= own + Duration::from_millis(15), "{own:?} {both:?}");
        // 10 ms were saved, and a second brings 1 ms.
        let waits = effort.solvent_at(now).duration_since(now).as_secs_f64();
        assert!((waits - (both.as_secs_f64() - 0.01) / 0.001).abs() < 0.01, "{waits}");
        drop(end);
        thread.join().unwrap();
    }
}
