//! Measurements that tests share with the program `deferd-bench`: whether probes do harm.
//!
//! A library, so that what a long run by hand measures is what a short test of every build holds to.

pub mod harm;

/// Why there is no figure.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;
