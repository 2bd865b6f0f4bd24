//! Samples of the timer: where the time of a process goes, as far as defer is concerned.

use std::collections::{BTreeMap, VecDeque};

use deferd_goproc::image::Image;

use super::remembered::Remembered;

/// Seconds over which shares are taken: at 99 samples a second, a busy core then tells tenths of a percent.
const WINDOW: usize = 60;
/// Places whose function is remembered.
const MOST_PLACES: usize = 16_384;
/// Fewer samples say nothing.
const FEWEST: u64 = 20;

/// The functions of the runtime that register, run and unwind defers; each in some of the versions.
const MACHINERY: [&str; 18] = [
    "runtime.deferproc",
    "runtime.deferprocStack",
    "runtime.deferprocat",
    "runtime.deferrangefunc",
    "runtime.deferconvert",
    "runtime.deferreturn",
    "runtime.newdefer",
    "runtime.freedefer",
    "runtime.popDefer",
    "runtime.gopanic",
    "runtime.recovery",
    "runtime.addOneOpenDeferFrame",
    "runtime.runOpenDeferFrame",
    "runtime.(*_panic).start",
    "runtime.(*_panic).nextDefer",
    "runtime.(*_panic).nextFrame",
    "runtime.(*_panic).initOpenCodedDefers",
    "runtime.freedeferfn",
];

/// What was sampled of one process.
#[derive(Debug, Default)]
pub(super) struct Samples {
    /// By instruction: the function, if it is one of [`MACHINERY`].
    functions: Remembered<u64, Option<&'static str>, MOST_PLACES>,
    /// The seconds of the window, the latest last.
    seconds: VecDeque<Second>,
    now: Second,
    /// Samples by the records that the running goroutine had: up to 0, 1, 2, 4, ... 256.
    chains: [u64; 10],
    chain_sum: u64,
}

#[derive(Debug, Default)]
struct Second {
    all: u64,
    machinery: BTreeMap<&'static str, u64>,
}

impl Samples {
    /// One sample; `pc` is a link-time address, or `None` in the kernel.
    pub(super) fn add(&mut self, image: &Image, pc: Option<u64>, chain: u32) {
        self.now.all += 1;
        let machinery = |pc| {
            let function = image.function_at(pc)?;
            MACHINERY.into_iter().find(|name| *name == function.name)
        };
        if let Some(function) = pc.and_then(|pc| self.functions.of(pc, || machinery(pc))) {
            *self.now.machinery.entry(function).or_default() += 1;
        }
        let class = (0..9).find(|class| chain <= (1 << class) >> 1).unwrap_or(9);
        if let Some(count) = self.chains.get_mut(class) {
            *count += 1;
        }
        self.chain_sum += u64::from(chain);
    }

    /// A second is over.
    pub(super) fn turn(&mut self) {
        self.seconds.push_back(std::mem::take(&mut self.now));
        if self.seconds.len() > WINDOW {
            self.seconds.pop_front();
        }
    }

    /// Parts of the CPU time of the process that were spent in each function; none if it hardly ran.
    pub(super) fn shares(&self) -> Vec<(&'static str, f64)> {
        let all: u64 = self.seconds.iter().map(|second| second.all).sum();
        if all < FEWEST {
            return Vec::new();
        }
        let mut machinery: BTreeMap<&'static str, u64> = BTreeMap::new();
        for (function, count) in self.seconds.iter().flat_map(|second| &second.machinery) {
            *machinery.entry(function).or_default() += count;
        }
        #[expect(clippy::cast_precision_loss, reason = "a minute of samples is far below 2^52")]
        let share = |count: u64| count as f64 / all as f64;
        machinery.into_iter().map(|(function, count)| (function, share(count))).collect()
    }

    /// Samples by records of the running goroutine (up to 0, 1, 2, 4, ... 128, more), and the sum of the records.
    pub(super) fn chains(&self) -> ([u64; 10], u64) {
        (self.chains, self.chain_sum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(samples: &mut Samples, function: Option<&'static str>) {
        samples.now.all += 1;
        if let Some(function) = function {
            *samples.now.machinery.entry(function).or_default() += 1;
        }
    }

    #[test]
    fn shares_are_of_all_samples_of_the_last_minute() {
        let mut samples = Samples::default();
        for second in 0..100 {
            for sample in 0..50 {
                let in_defer = second >= 90 && sample < 10;
                add(&mut samples, in_defer.then_some("runtime.deferreturn"));
            }
            samples.turn();
        }
        let shares = samples.shares();
        assert_eq!(shares.len(), 1);
        // Ten of the sixty seconds, a fifth of each.
        assert!((shares[0].1 - 10.0 / 60.0 * 0.2).abs() < 1e-9, "{shares:?}");
    }

    #[test]
    fn a_process_that_hardly_ran_has_no_shares() {
        let mut samples = Samples::default();
        add(&mut samples, Some("runtime.deferproc"));
        samples.turn();
        assert!(samples.shares().is_empty());
    }
}
