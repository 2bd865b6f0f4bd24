//! CPU time of another process, to the nanosecond.

use std::time::Duration;

use nix::time::{ClockId, clock_gettime};
use nix::unistd::Pid;

/// CPU time that all threads of process `pid` have used, up to now: the kernel adds what those that run have not accounted for yet,
/// unlike in `/proc/PID/stat`, which counts in hundredths of a second. Needs no right. `None` if there is no such process.
pub fn cpu_time(pid: u32) -> Option<Duration> {
    let clock = ClockId::pid_cpu_clock_id(Pid::from_raw(i32::try_from(pid).ok()?)).ok()?;
    clock_gettime(clock).ok().map(Duration::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_grows_with_what_this_process_does() {
        let before = cpu_time(std::process::id()).unwrap();
        let begin = std::time::Instant::now();
        while cpu_time(std::process::id()).unwrap() < before + Duration::from_millis(5) {
            assert!(begin.elapsed() < Duration::from_secs(30));
        }
    }

    #[test]
    fn a_process_that_does_not_exist_has_none() {
        assert_eq!(cpu_time(u32::MAX), None);
        // PID_MAX_LIMIT of the kernel.
        assert_eq!(cpu_time(1 << 22), None);
    }
}
