//! Registrations per second, by `defer` site, from a probe on `deferreturn`.
//!
//! `deferreturn` runs once per return of a function that may have pending records, so it is hit up to a thousand times less often
//! than `deferproc`; a sample of the hits walks the records of its own frame. Where the budget allows it the breakpoint stays in
//! place ([`Mode::AlwaysOn`]) and only the number of records per hit is estimated. Otherwise it stands in windows of fixed time
//! ([`Mode::Windows`]): fixed in time, because windows that end after so many hits prefer bursts.
//!
//! [`plan`] decides between the two, [`estimate`] and [`windows`] turn what was counted into a rate with an interval that holds
//! in 95 % of reports, or into "at least". No clock, no randomness and no I/O in here: whoever places probes brings them.

mod estimate;
mod figures;
mod load;
mod plan;
mod report;
#[cfg(test)]
mod simulation;
mod student;
#[cfg(test)]
mod tests;
mod windows;

#[cfg(test)]
pub(crate) use estimate::Estimate;
pub(crate) use figures::{HitCost, Interval, SiteSample, Window};
pub(crate) use load::{Learned, Load};
pub(crate) use plan::{Mode, Planner, expected, next_window};
pub(crate) use report::{Rates, SiteRate};
