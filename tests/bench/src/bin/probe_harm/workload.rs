//! What is watched.

use std::path::Path;
use std::time::Duration;

use deferd_bench::Failure;
use deferd_bench::truth::{Account, real};
use deferd_integration::rates::{self, Rates};
use deferd_integration::wait;

use crate::figures::{Figure, Figures};

/// Connections of the client.
const CONNECTIONS: u32 = 8;

/// What the program does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Workload {
    /// Ten million defers a second, none of which allocates.
    TenMillion,
    /// As many as can be.
    Maximum,
    /// As many as can be, one per call: each is followed by a return, where the probe is.
    OnePerCall,
    /// Requests, each with ten defers in a loop.
    Http,
}

impl Workload {
    /// All of them.
    pub(crate) const ALL: [Self; 4] = [Self::TenMillion, Self::Maximum, Self::OnePerCall, Self::Http];

    /// In words.
    pub(crate) const fn description(self) -> &'static str {
        match self {
            Self::TenMillion => "10,000,000 defers a second, 100 per call, nothing allocated",
            Self::Maximum => "as many defers as can be, 100 per call, nothing allocated",
            Self::OnePerCall => "as many defers as can be, 1 per call, nothing allocated",
            Self::Http => "an HTTP service with 10 defers per request, 8 connections",
        }
    }

    fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::TenMillion => &["-rate", "10000000", "-per-call", "100", "-every", "50ms"],
            Self::Maximum => &["-rate", "0", "-per-call", "100", "-every", "50ms"],
            Self::OnePerCall => &["-rate", "0", "-per-call", "1", "-every", "50ms"],
            Self::Http => &["-serve", "127.0.0.1:0", "-every", "50ms"],
        }
    }

    /// Starts it, ready to be watched.
    pub(crate) fn start(self, file: &Path) -> Rates {
        Rates::ready(file, self.arguments())
    }

    /// Lets it work and measures what it gets done.
    pub(crate) fn measure(self, file: &Path, program: &mut Rates, settle: u32, seconds: u32) -> Result<Figures, Failure> {
        if self == Self::Http {
            return service(file, program, settle, seconds);
        }
        program.begin();
        wait::pause(Duration::from_secs(u64::from(settle)));
        program.counted(); // of the time before
        wait::pause(Duration::from_secs(u64::from(seconds)));
        let (per_second, per_cpu_second) = throughput(&Account::new(program.counted()))?;
        Ok(vec![Figure::new("defers per second", per_second), Figure::new("defers per CPU second", per_cpu_second)])
    }
}

fn service(file: &Path, program: &mut Rates, settle: u32, seconds: u32) -> Result<Figures, Failure> {
    let address = program.said().address.ok_or("the service has no address")?;
    rates::load(file, address, CONNECTIONS, settle);
    program.counted();
    let load = rates::load(file, address, CONNECTIONS, seconds);
    let (_, per_cpu_second) = throughput(&Account::new(program.counted()))?;
    if load.errors > 0 {
        return Err(format!("{} requests failed", load.errors).into());
    }
    Ok(vec![
        Figure::new("requests per second", load.per_second),
        Figure::new("requests per CPU second of the service", per_cpu_second / 10.0),
        Figure::new("p50, us", real(load.p50_ns) / 1e3),
        Figure::new("p99, us", real(load.p99_ns) / 1e3),
    ])
}

/// Registrations per second and per second of the program's CPU.
fn throughput(account: &Account) -> Result<(f64, f64), Failure> {
    let (from, to) = account.span().ok_or("the program counted nothing")?;
    let registered = account.registrations(from, to).ok_or("the program counted nothing")?.middle();
    let cpu = account.cpu(from, to).filter(|cpu| *cpu > 0.0).ok_or("the program used no CPU")?;
    Ok((registered / (real(to - from) / 1e9), registered / cpu))
}
