//! Probes in a live process, within `max_target_overhead`.

#![allow(dead_code, unused_imports, reason = "the parts stand beside each other until the receiver places probes")]

mod arbiter;
mod rates;
