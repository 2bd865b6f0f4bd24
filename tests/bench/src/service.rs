//! The service as a whole: size, start, memory, CPU.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use deferd_integration::config::Watch;
use deferd_integration::deferd::{self, Service};
use deferd_integration::programs::Healthy;
use deferd_integration::wait;

use deferd_bench::Failure;

/// Starts of which the median and the worst are told.
const STARTS: usize = 10;
/// Go processes watched.
const PROCESSES: usize = 10;
/// How long CPU is counted.
const MINUTE: Duration = Duration::from_mins(1);
/// Before a figure is taken: caches are filled, and processes that were too young are watched.
const SETTLED: Duration = Duration::from_secs(10);
/// Clock ticks per second of `/proc/PID/stat`: `USER_HZ`, 100 on x86-64.
const TICKS: f64 = 100.0;

/// All figures, named.
pub(crate) fn measure() -> Result<Vec<(String, String)>, Failure> {
    let (built, stripped) = sizes()?;
    let (median, worst) = ready()?;
    let mut rows = vec![
        ("binary, as built / stripped".to_owned(), format!("{built:.1} MiB / {stripped:.1} MiB")),
        (format!("exec to ready, median / worst of {STARTS}"), format!("{median:.1?} / {worst:.1?}")),
    ];
    let idle = watching(&[], "5s")?;
    rows.push(("RSS, nobody watched".to_owned(), format!("{:.1} MiB", idle.rss)));
    let mut processes: Vec<Healthy> = (0..PROCESSES).map(|_| Healthy::start()).collect();
    let pids: Vec<u32> = processes.iter().map(Healthy::pid).collect();
    for (state, interval) in [("busy", "1s"), ("busy", "5s"), ("idle", "5s")] {
        if state == "idle" {
            processes.iter_mut().for_each(Healthy::park);
        }
        let cost = watching(&pids, interval)?;
        let what = format!("{PROCESSES} {state} processes, every {interval}: RSS; CPU over one minute");
        rows.push((what, format!("{:.1} MiB; {:.2} s = {:.2} % of a core", cost.rss, cost.cpu, cost.cpu / 60.0 * 100.0)));
    }
    Ok(rows)
}

/// The binary in MiB, with and without symbols.
fn sizes() -> Result<(f64, f64), Failure> {
    let stripped = std::env::temp_dir().join(format!("deferd-stripped-{}", std::process::id()));
    let status = Command::new("strip").arg("-o").arg(&stripped).arg(deferd::binary()).status()?;
    if !status.success() {
        return Err("strip failed".into());
    }
    let sizes = (mebibytes(deferd::binary())?, mebibytes(&stripped)?);
    std::fs::remove_file(&stripped)?;
    Ok(sizes)
}

#[expect(clippy::cast_precision_loss, reason = "no file has 2^53 bytes")]
fn mebibytes(file: &Path) -> Result<f64, Failure> {
    Ok(std::fs::metadata(file)?.len() as f64 / f64::from(1 << 20))
}

/// From exec to the line that says it is ready, median and worst.
fn ready() -> Result<(Duration, Duration), Failure> {
    let mut times = (0..STARTS).map(|_| start()).collect::<Result<Vec<_>, Failure>>()?;
    times.sort_unstable();
    Ok((*times.get(STARTS / 2).ok_or("no start")?, *times.last().ok_or("no start")?))
}

fn start() -> Result<Duration, Failure> {
    let folder = std::env::temp_dir().join(format!("deferd-bench-{}.yaml", std::process::id()));
    std::fs::write(&folder, Watch::pids(&[std::process::id()]).yaml())?;
    let begin = Instant::now();
    let mut child = deferd::command(["--config".as_ref(), folder.as_os_str()]).stderr(Stdio::piped()).spawn()?;
    let mut lines = BufReader::new(child.stderr.take().ok_or("no pipe")?).lines();
    let line = lines.find(|line| line.as_ref().is_ok_and(|line| line.contains("Everything is ready")));
    let took = begin.elapsed();
    child.kill()?;
    child.wait()?;
    std::fs::remove_file(&folder)?;
    line.ok_or("it never was ready")??;
    Ok(took)
}

/// What a service costs.
struct Cost {
    /// MiB.
    rss: f64,
    /// Seconds.
    cpu: f64,
}

/// Watches these processes for a minute, with the default limits. With none of them only memory is of interest.
fn watching(pids: &[u32], interval: &str) -> Result<Cost, Failure> {
    let mut watch = Watch::pids(pids);
    interval.clone_into(&mut watch.interval);
    if pids.is_empty() {
        watch.include.push("{executable: no-such-program}".to_owned());
    }
    let text = watch.yaml().replace("    max_agent_cpu: 50%\n", "").replace("    discovery_interval: 200ms\n", "");
    let service = Service::start(&text, watch.ports);
    wait::pause(SETTLED);
    let before = cpu_seconds(service.pid())?;
    if !pids.is_empty() {
        wait::pause(MINUTE);
    }
    let cost = Cost { rss: rss(service.pid())?, cpu: cpu_seconds(service.pid())? - before };
    service.stop();
    Ok(cost)
}

/// Memory of a process that is in use, in MiB.
pub(crate) fn rss(pid: u32) -> Result<f64, Failure> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
    Ok(line.trim().trim_end_matches("kB").trim().parse::<f64>()? / 1024.0)
}

/// User and system time of a process.
pub(crate) fn cpu_seconds(pid: u32) -> Result<f64, Failure> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name of the program stands in brackets, and may hold anything; utime and stime are the 12th and 13th after it.
    let (_, fields) = stat.rsplit_once(')').ok_or("no stat")?;
    let ticks: Vec<f64> = fields.split_whitespace().skip(11).take(2).map(str::parse).collect::<Result<_, _>>()?;
    Ok(ticks.iter().sum::<f64>() / TICKS)
}
