//! Waiting for a condition, never for luck.

use std::time::{Duration, Instant};

/// How long a condition that must come true may take. Ten times what it takes on a machine that does nothing else.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Between two looks at a condition.
const PAUSE: Duration = Duration::from_millis(5);

/// Looks until the condition yields a value, and returns it with the time that took.
///
/// # Panics
/// After [`PATIENCE`], naming `what`.
pub fn until<T>(what: &str, condition: impl FnMut() -> Option<T>) -> (T, Duration) {
    within(PATIENCE, what, condition)
}

/// [`until`] with another deadline, which bounds the last look's begin.
///
/// # Panics
/// After the deadline, naming `what`.
pub fn within<T>(deadline: Duration, what: &str, mut condition: impl FnMut() -> Option<T>) -> (T, Duration) {
    let begin = Instant::now();
    loop {
        let took = begin.elapsed();
        if let Some(value) = condition() {
            return (value, took);
        }
        assert!(took < deadline, "not within {deadline:?}: {what}");
        pause(PAUSE);
    }
}

/// Lets time pass between two looks, or between two samples of something that is measured over time.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that sleeps, in a loop that ends at a condition or at a count of samples"
)]
pub fn pause(time: Duration) {
    std::thread::sleep(time);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_that_comes_true_yields_its_value() {
        let mut looks = 0;
        let (value, _) = until("three looks", || {
            looks += 1;
            (looks == 3).then_some("done")
        });
        assert_eq!((value, looks), ("done", 3));
    }

    #[test]
    #[should_panic(expected = "not within 1ms: never")]
    fn a_condition_that_never_comes_true_fails_with_its_name() {
        within(Duration::from_millis(1), "never", || None::<()>);
    }
}
