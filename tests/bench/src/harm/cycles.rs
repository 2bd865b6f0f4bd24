//! All probes placed and removed again and again, in a program that works.

use std::path::Path;
use std::time::Duration;

use deferd_bpf::{Probes, Usage};
use deferd_integration::wait;

use super::churn::complaint;
use super::{Bytes, Churn, Places, Spread};
use crate::Failure;

/// Milliseconds that breakpoints stand.
const STAND: std::ops::RangeInclusive<u64> = 2..=20;
/// Lines of the target, four a second, before the first breakpoint: what it does by itself.
const BEFORE: usize = 5;
/// How long a kind of work may not be heard of. Beside four other builds some are not for two seconds, with or without probes.
const STANDSTILL: Duration = Duration::from_secs(10);
/// A breakpoint on an instruction that the kernel emulates.
const HIT: Duration = Duration::from_nanos(500);

/// What became of it.
#[derive(Debug, Clone, Default)]
pub struct Cycles {
    /// How often breakpoints were placed and removed.
    pub cycles: u32,
    /// How many stood at a time.
    pub places: usize,
    /// What the programs saw.
    pub usage: Usage,
    /// Placing, of each link.
    pub attach: Spread,
    /// Removing, of each link.
    pub detach: Spread,
    /// What went wrong; empty is well.
    pub complaints: Vec<String>,
    /// The longest that some kind of work did not happen.
    pub standstill: Duration,
    /// Work per second of the processors, against that before.
    pub speed: Option<f64>,
    /// Time of the processors while there were cycles.
    pub cpu: Duration,
}

impl Cycles {
    /// Hits of all breakpoints.
    pub fn hits(&self) -> u64 {
        let Usage { returns, raises, recoveries, others, opens, closes, .. } = self.usage;
        returns + raises + recoveries + others + opens + closes
    }

    /// The part of the target's time that probes took: half a microsecond a hit, and what the programs measured.
    pub fn overhead(&self) -> f64 {
        let programs = Duration::from_nanos(self.usage.walk_nanoseconds + self.usage.panic_nanoseconds);
        let hits = HIT.saturating_mul(u32::try_from(self.hits()).unwrap_or(u32::MAX));
        (programs + hits).as_secs_f64() / self.cpu.as_secs_f64().max(f64::MIN_POSITIVE)
    }

    fn complain(&mut self, text: String) {
        self.complaints.push(text);
    }

    fn compare(&mut self, when: &str, places: &Places, wanted: Bytes) {
        let cycle = self.cycles;
        match places.bytes() {
            Ok(found) if found == wanted => {}
            Ok(found) => self.complain(format!("cycle {cycle}: {when}, memory is {found:x?}")),
            Err(error) => self.complain(format!("cycle {cycle}: {when}, {error}")),
        }
    }
}

/// Runs so many cycles on the program `churn` of this file, with the slot of this number.
///
/// # Panics
/// If the program does not come up, or does not end.
pub fn attach_and_detach(probes: &mut Probes, slot: u32, churn: &Path, cycles: u32) -> Result<Cycles, Failure> {
    let mut target = Churn::start(churn);
    let places = Places::of(target.pid())?;
    probes.set_target(slot, places.settings())?;
    let before = target.after(BEFORE);
    let mut outcome = Cycles { places: places.count(), ..Cycles::default() };
    for _ in 0..cycles {
        cycle(probes, slot, &places, &mut outcome);
        // What is wrong once is not made better by more of it.
        if !target.is_running() || !outcome.complaints.is_empty() {
            break;
        }
    }
    // A whole interval after the last cycle too.
    if outcome.complaints.is_empty() {
        target.after(target.lines() + 2);
    }
    let (ended, all) = target.stop();
    outcome.complaints.extend(complaint(&ended));
    if all.standstill > STANDSTILL {
        outcome.complain(format!("some work stood still for {:?}", all.standstill));
    }
    let idle = all.kinds.iter().filter(|(_, done)| **done == 0).map(|(kind, _)| format!("no work: {kind}"));
    outcome.complaints.extend(idle);
    let since = all.since(&before);
    outcome.speed = since.speed_against(&before);
    (outcome.cpu, outcome.standstill) = (since.cpu, all.standstill);
    outcome.usage = probes.usage(slot)?;
    if outcome.hits() == 0 {
        outcome.complain("no breakpoint was hit".to_owned());
    }
    probes.clear(slot)?;
    Ok(outcome)
}

fn cycle(probes: &mut Probes, slot: u32, places: &Places, outcome: &mut Cycles) {
    let links = match places.place(probes, slot) {
        Ok(links) => links,
        // Of a process that has crashed; the caller looks.
        Err(error) => return outcome.complain(error.to_string()),
    };
    outcome.compare("placed", places, Bytes::Breakpoints);
    wait::pause(Duration::from_millis(fastrand::u64(STAND)));
    for link in &links {
        outcome.attach.add(link.took);
    }
    // All at once, as when an agent ends; one after the other would be three times the wait for the same.
    let removed: Vec<Duration> = std::thread::scope(|scope| {
        let removing: Vec<_> = links.into_iter().map(|link| scope.spawn(|| link.remove())).collect();
        removing.into_iter().filter_map(|removing| removing.join().ok()).collect()
    });
    for took in removed {
        outcome.detach.add(took);
    }
    outcome.compare("removed", places, Bytes::AsInFile);
    while probes.events().next_event().is_some() {}
    outcome.cycles += 1;
}
