//! What is printed.

use std::fmt;

use deferd_bench::judge::Verdict;

use crate::case::Case;

/// The share of stated intervals that must hold the truth.
const PROMISED: f64 = 0.95;

/// The first lines.
pub(crate) const HEAD: &str = "\
| go | kind | shape | per call | goroutines | asked/s | true/s | reported/s | error | intervals | hold the truth | at least | hold the truth | width | cost of allowed |
|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|";

/// The line of one run. Cost is what the probes took of what they may, both as shares of one CPU.
pub(crate) fn row(case: &Case, verdict: &Verdict) -> String {
    let Case { toolchain, kind, shape, rate, per_call, goroutines } = case;
    let asked = if *rate == 0 { "max".to_owned() } else { rate.to_string() };
    let percent = |share: f64| format!("{:.3} %", share * 100.0);
    let (reported, truth) = verdict.counter.map_or_else(Default::default, |(reported, truth)| (round(reported), round(truth)));
    let error = verdict.error().map_or_else(|| "none reported".to_owned(), |error| format!("{error:+.2} %"));
    let error = if verdict.fell > 0 { format!("{error}, FELL {} times", verdict.fell) } else { error };
    let width = verdict.width.map_or_else(String::new, |width| format!("+-{:.1} %", width * 100.0));
    let overhead = verdict.overhead.map_or_else(|| "not told".to_owned(), percent);
    format!(
        "| {} | {kind} | {shape} | {per_call} | {goroutines} | {asked} | {truth} | {reported} | {error} | {} | {} | {} | {} | {width} | {overhead} of {} |",
        toolchain.version,
        verdict.reports,
        share(verdict.held, verdict.reports),
        verdict.at_least,
        share(verdict.at_least_held, verdict.at_least),
        percent(verdict.allowed),
    )
}

fn round(number: f64) -> String {
    format!("{number:.0}")
}

fn share(part: u32, of: u32) -> String {
    if of == 0 { "-".to_owned() } else { format!("{:.0} %", f64::from(part) / f64::from(of) * 100.0) }
}

/// All runs together.
#[derive(Debug, Default)]
pub(crate) struct Sum {
    runs: u32,
    reports: u32,
    held: u32,
    at_least: u32,
    at_least_held: u32,
    unbounded: u32,
    fell: u32,
    over: u32,
    silent: u32,
    worst: f64,
}

impl Sum {
    /// Adds a run.
    pub(crate) fn add(&mut self, verdict: &Verdict) {
        self.runs += 1;
        self.reports += verdict.reports;
        self.held += verdict.held;
        self.at_least += verdict.at_least;
        self.at_least_held += verdict.at_least_held;
        self.unbounded += verdict.unbounded;
        self.fell += verdict.fell;
        self.over += u32::from(!verdict.within_budget());
        self.silent += u32::from(verdict.counter.is_none() || verdict.reports + verdict.at_least == 0);
        self.worst = self.worst.max(verdict.error().unwrap_or_default().abs());
    }

    /// Whether every promise was kept, and there was something to judge by.
    pub(crate) fn is_good(&self) -> bool {
        let enough = |held: u32, of: u32| f64::from(held) >= PROMISED * f64::from(of);
        let held = enough(self.held, self.reports) && enough(self.at_least_held, self.at_least);
        self.reports > 0 && held && self.unbounded + self.fell + self.over + self.silent == 0
    }
}

impl fmt::Display for Sum {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { runs, reports, held, at_least, at_least_held, unbounded, fell, over, silent, worst } = self;
        let (both, one) = (share(*held, *reports), share(*at_least_held, *at_least));
        writeln!(out, "{runs} runs; {reports} reports with an interval, {held} hold the truth ({both}, promised 95 %)")?;
        writeln!(
            out,
            "{at_least} reports say \"at least\", {at_least_held} hold the truth ({one}, promised 95 %); {unbounded} have no bound"
        )?;
        writeln!(out, "counters fell {fell} times; {over} runs over the promised cost, or silent about it")?;
        writeln!(out, "{silent} runs without a counter or without an interval")?;
        write!(
            out,
            "worst error of a counter over a whole run: {worst:.1} %; {}",
            if self.is_good() { "GOOD" } else { "NOT GOOD" }
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> Verdict {
        Verdict {
            counter: Some((99.0, 100.0)),
            reports: 100,
            held: 95,
            overhead: Some(0.001),
            allowed: 0.001,
            ..Verdict::default()
        }
    }

    #[test]
    fn only_kept_promises_are_good() {
        let sum = |verdict: Verdict| {
            let mut sum = Sum::default();
            sum.add(&verdict);
            sum
        };
        assert!(sum(good()).is_good());
        assert!(!Sum::default().is_good(), "nothing was judged");
        for bad in [
            Verdict { held: 94, ..good() },
            Verdict { at_least: 10, at_least_held: 9, ..good() },
            Verdict { fell: 1, ..good() },
            Verdict { unbounded: 1, ..good() },
            Verdict { overhead: Some(0.002), ..good() },
            Verdict { overhead: None, ..good() },
            Verdict { counter: None, ..good() },
        ] {
            assert!(!sum(bad.clone()).is_good(), "{bad:?}");
        }
    }
}
