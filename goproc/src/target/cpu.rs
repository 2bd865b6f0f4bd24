//! CPU time of another process or thread, to the nanosecond.

use std::time::Duration;

use nix::time::{ClockId, clock_gettime};
use nix::unistd::Pid;

/// CPU time that all threads of process `pid` have used, up to now: the kernel adds what those that run have not accounted for yet,
/// unlike in `/proc/PID/stat`, which counts in hundredths of a second. Needs no right. `None` if there is no such process.
pub fn cpu_time(pid: u32) -> Option<Duration> {
    let clock = ClockId::pid_cpu_clock_id(Pid::from_raw(i32::try_from(pid).ok()?)).ok()?;
    clock_gettime(clock).ok().map(Duration::from)
}

/// CPU time of a thread of this process. `None` if there is no such thread.
pub fn thread_cpu_time(thread: u32) -> Option<Duration> {
    /// `CPUCLOCK_PERTHREAD_MASK` and `CPUCLOCK_SCHED` of `<linux/posix-timers.h>`.
    const OF_THREAD: i32 = 4 | 2;
    // The kernel's own encoding: the C library names no function for a thread of which only the number is known.
    let clock = ClockId::from_raw(!i32::try_from(thread).ok()? << 3 | OF_THREAD);
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

    #[test]
    fn of_a_thread_it_is_what_the_thread_says_itself_and_nothing_once_it_has_ended() {
        let (end, ended) = std::sync::mpsc::channel::<()>();
        let (say, said) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            let begin = std::time::Instant::now();
            while crate::walk::thread_cpu() < Duration::from_millis(5) {
                assert!(begin.elapsed() < Duration::from_secs(30));
            }
            say.send((rustix::thread::gettid().as_raw_nonzero().get(), crate::walk::thread_cpu())).unwrap();
            let _ = ended.recv();
        });
        let (number, own) = said.recv().unwrap();
        let number = u32::try_from(number).unwrap();
        let seen = thread_cpu_time(number).unwrap();
        assert!(seen >= own && seen < own + Duration::from_secs(1), "{own:?} {seen:?}");
        drop(end);
        thread.join().unwrap();
        assert_eq!(thread_cpu_time(number), None);
    }
}
