//! Probes: breakpoints in live processes, within a budget.
//!
//! A thread of its own ([`worker`]) places and removes them, reads what they count and turns it into [`Figures`], for which
//! each look at the process asks and which it sends along with its own, and into log records, which are sent as they come.
//! Everything here may fail
//! without harm to the snapshots, and says so once.

mod arbiter;
mod effort;
mod figures;
mod host;
mod logs;
mod losses;
mod openers;
mod panic_log;
mod panics;
mod pending;
mod placed;
pub mod places;
mod points;
mod probed;
mod prober;
mod program_time;
mod rates;
mod reading;
mod remembered;
mod removal;
mod returns;
mod samples;
mod site_names;
mod worker;

pub use arbiter::LEAST_ALLOWANCE;
pub(super) use figures::Figures;
pub(super) use host::prepare;
pub(super) use logs::{LogEntry, Outlet, encode};
pub(super) use losses::Losses;
pub(super) use pending::{Look, Pending};
pub(super) use prober::{Prober, Status, Subject};
