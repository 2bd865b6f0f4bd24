//! An agent beside many processes: memory, CPU, and whether the promise holds for each of them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant, SystemTime};

use clap::Args;
use deferd_bench::judge::{LEAST_ALLOWANCE, OVERHEAD, RATE};
use deferd_bench::watch::Watcher;
use deferd_bench::{Failure, machine};
use deferd_fixtures::{Mode, binary, newest};
use deferd_integration::recording::Recording;
use deferd_integration::{deferd, rates::Rates, wait};

use crate::service::{cpu_seconds, rss};

/// Before anything is counted, and more for each process.
const SETTLED: Duration = Duration::from_secs(10);
const EACH: Duration = Duration::from_millis(50);

/// How many processes, and for how long.
#[derive(Args)]
pub(crate) struct Many {
    /// Watched at a time
    #[arg(long, value_delimiter = ',', default_values_t = [10, 100, 500])]
    processes: Vec<usize>,
    /// How long CPU is counted
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Between two looks at each process
    #[arg(long, default_value = "5s")]
    interval: String,
    /// Registrations a second in each process, ten per call
    #[arg(long, default_value_t = 100)]
    rate: u32,
}

/// What was seen of so many.
struct Seen {
    rss: f64,
    cpu: f64,
    /// Processes of which a rate was told, and looks at the one that was looked at least.
    with_rates: usize,
    fewest_looks: usize,
    /// The most that probes cost a process, as a share of a CPU, and how many cost more than is allowed.
    most: f64,
    over: usize,
}

/// One row for each number of processes.
pub(crate) fn many(options: &Many) -> Result<(), Failure> {
    println!("{}; every {}, {} registrations a second in each\n", machine::describe(), options.interval, options.rate);
    println!(
        "| processes | RSS | CPU, % of a core | processes with rates | fewest looks at one in {} s | most that probes cost one | over the promise |",
        options.seconds
    );
    println!("|---|---|---|---|---|---|---|");
    let mut over = 0;
    for &count in &options.processes {
        let seen = watch(count, options)?;
        println!(
            "| {count} | {:.1} MiB | {:.2} | {} | {} | {:.3} % of a CPU | {} |",
            seen.rss,
            seen.cpu * 100.0,
            seen.with_rates,
            seen.fewest_looks,
            seen.most * 100.0,
            seen.over
        );
        over += seen.over;
    }
    if over > 0 { Err("the promise was broken".into()) } else { Ok(()) }
}

fn watch(count: usize, options: &Many) -> Result<Seen, Failure> {
    let file = binary("rates", newest(), Mode::Plain);
    let rate = options.rate.to_string();
    let arguments = ["-rate", &rate, "-per-call", "10", "-every", "10s"];
    let mut programs: Vec<Rates> = (0..count).map(|_| Rates::ready(&file, &arguments)).collect();
    programs.iter_mut().for_each(Rates::begin);
    let pids: Vec<u32> = programs.iter().map(Rates::pid).collect();
    let watcher = Watcher::of(deferd::binary(), &pids, &options.interval)?;
    // Programs are read and breakpoints placed, for one after the other.
    wait::pause(SETTLED + EACH.saturating_mul(u32::try_from(count)?));
    let (from, begin) = (SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?, Instant::now());
    let before = cpu_seconds(watcher.pid())?;
    wait::pause(Duration::from_secs(options.seconds));
    let cpu = (cpu_seconds(watcher.pid())? - before) / begin.elapsed().as_secs_f64();
    let rss = rss(watcher.pid())?;
    let told = watcher.stop();
    for program in programs {
        program.end();
    }
    Ok(judge(&told, u64::try_from(from.as_nanos())?, rss, cpu))
}

/// What was told since a time.
fn judge(told: &Recording, from: u64, rss: f64, cpu: f64) -> Seen {
    let since = |metric| told.of(metric).filter(move |point| point.time >= from);
    let with_rates: BTreeSet<u32> = since(RATE).map(|point| point.process).collect();
    let mut costs: BTreeMap<u32, BTreeMap<u64, f64>> = BTreeMap::new();
    for point in since(OVERHEAD) {
        *costs.entry(point.process).or_default().entry(point.time).or_default() += point.value;
    }
    let mean = |looks: &BTreeMap<u64, f64>| {
        looks.values().sum::<f64>() / f64::from(u32::try_from(looks.len()).unwrap_or(u32::MAX).max(1))
    };
    let means: Vec<f64> = costs.values().map(mean).collect();
    Seen {
        rss,
        cpu,
        with_rates: with_rates.len(),
        fewest_looks: costs.values().map(BTreeMap::len).min().unwrap_or(0),
        most: means.iter().copied().fold(0.0, f64::max),
        over: means.iter().filter(|mean| **mean > LEAST_ALLOWANCE).count(),
    }
}
