//! Parts of the harnesses that hold probes to the truth and measure what they do to a process.
//!
//! What judges (`truth`, `judge`, `spread`) takes values and returns values, so that it is tested without a process; `watch` starts
//! deferd beside one. `harm` places probes itself, in a program that notices harm: what a long run by hand measures is what a short
//! test of every build holds to.

pub mod harm;
pub mod judge;
pub mod machine;
pub mod spread;
pub mod truth;
pub mod watch;

/// Why nothing could be measured.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;
