//! What is done next, of all that is due.

use std::time::Instant;

/// Pid and start, in clock ticks from boot: names a process, whatever program it runs.
pub(super) type Process = (u32, u64);

/// A piece of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Work {
    /// Compare who is there with who is watched.
    Discover,
    /// Count the open files of all for which that is due.
    Count,
    /// Look at a process.
    Look(Process),
    /// Nothing is due until then.
    Wait(Instant),
}

/// What has been due longest, so that nothing is put off for ever where the budget does not suffice for everything. A `discovery`
/// that was never made comes first.
pub(super) fn choose(
    now: Instant,
    discovery: Option<Instant>,
    count: Option<Instant>,
    looks: impl Iterator<Item = (Instant, Process)>,
) -> Work {
    let Some(discovery) = discovery else { return Work::Discover };
    let looks = looks.map(|(due, process)| (due, Work::Look(process)));
    let all = looks.chain(count.map(|due| (due, Work::Count)));
    match all.fold((discovery, Work::Discover), std::cmp::min) {
        (due, work) if due <= now => work,
        (due, _) => Work::Wait(due),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use super::*;

    #[test]
    fn under_a_budget_that_never_suffices_everybody_gets_a_turn() {
        let (start, second) = (Instant::now(), Duration::from_secs(1));
        let (mut discovery, mut discoveries) = (Some(start), 0);
        let (mut count, mut counts) = (Some(start), 0);
        let mut looks: BTreeMap<Process, (Instant, u32)> = (0..4).map(|pid| ((pid, 0), (start, 0))).collect();
        // Every piece of work takes as long as the interval between two of a kind should be.
        for step in 1..=70_u32 {
            let now = start + second * step;
            match choose(now, discovery, count, looks.iter().map(|(process, (due, _))| (*due, *process))) {
                Work::Discover => {
                    (discovery, discoveries) = (Some(now + second), discoveries + 1);
                    // A process that is found while all others are late.
                    looks.entry((9, 0)).or_insert((now, 0));
                }
                Work::Count => (count, counts) = (Some(now + second), counts + 1),
                Work::Look(process) => {
                    let (due, count) = looks.get_mut(&process).unwrap();
                    (*due, *count) = (now + second, *count + 1);
                }
                Work::Wait(_) => panic!("there is too much work to wait"),
            }
        }
        assert!(discoveries >= 9 && counts >= 9, "{discoveries} {counts}");
        assert!(looks.len() == 5 && looks.values().all(|(_, count)| *count >= 9), "{looks:?}");
    }

    #[test]
    fn nothing_is_due_before_its_time() {
        let (now, second) = (Instant::now(), Duration::from_secs(1));
        let look = |after| (now + second * after, (1, 0));
        assert_eq!(choose(now, None, None, std::iter::once(look(0))), Work::Discover);
        assert_eq!(choose(now, Some(now + second), None, std::iter::once(look(2))), Work::Wait(now + second));
        assert_eq!(choose(now, Some(now + second), None, std::iter::once(look(0))), Work::Look((1, 0)));
        assert_eq!(choose(now, Some(now + second), None, std::iter::empty()), Work::Wait(now + second));
        assert_eq!(choose(now, Some(now + second), Some(now), std::iter::empty()), Work::Count);
    }
}
