//! The time of one series.
//!
//! Rules count seconds, and the seconds come from the points: so a recorded series is judged as a live one, and a backlog that
//! arrives all at once as if it had come in time. But a clock can be set. A step between two points therefore counts for at most
//! twice the step before it, and points that stay in the past are taken for a clock that was set back.

/// So many points in a row that are older than the newest one mean that the clock was set back; fewer are late arrivals.
const SET_BACK_AFTER: u8 = 3;

/// Nanoseconds in a second.
const NANOSECONDS: f64 = 1e9;

/// What a point means for the time of its series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Tick {
    /// Seconds since the first point.
    pub(super) now: f64,
    /// Time has not passed as the points say: what was measured over it before cannot be compared with what comes.
    pub(super) broken: bool,
}

/// Seconds since the first point of a series, by the times of its points.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct SeriesClock {
    newest: u64,
    now: f64,
    step: f64,
    behind: u8,
}

impl SeriesClock {
    /// Takes the time of a point, in nanoseconds since the epoch. Returns what the time of the series is then, or `None` if the
    /// point comes late and is not to be judged.
    pub(super) fn advance(&mut self, time: u64) -> Option<Tick> {
        if self.newest == 0 {
            self.newest = time.max(1);
            return Some(Tick { now: 0.0, broken: false });
        }
        let Some(ahead) = time.checked_sub(self.newest).filter(|ahead| *ahead > 0) else {
            return self.look_back(time);
        };
        let seconds = nanoseconds(ahead);
        let counted = if self.step > 0.0 { seconds.min(2.0 * self.step) } else { seconds };
        (self.newest, self.behind) = (time, 0);
        self.step = counted;
        self.now += counted;
        Some(Tick { now: self.now, broken: counted < seconds })
    }

    /// Seconds that have passed by now.
    pub(super) const fn now(&self) -> f64 {
        self.now
    }

    fn look_back(&mut self, time: u64) -> Option<Tick> {
        self.behind = self.behind.saturating_add(1);
        if self.behind < SET_BACK_AFTER || time == self.newest {
            return None;
        }
        (self.newest, self.behind) = (time.max(1), 0);
        self.now += self.step;
        Some(Tick { now: self.now, broken: true })
    }
}

#[expect(clippy::cast_precision_loss, reason = "a step that needs more than 53 bits is clamped anyway")]
fn nanoseconds(count: u64) -> f64 {
    count as f64 / NANOSECONDS
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;
    const START: u64 = 1_700_000_000 * SECOND;

    /// Times of the series after points at these seconds since the start.
    fn run(seconds: &[i64]) -> Vec<Option<f64>> {
        let mut clock = SeriesClock::default();
        let advance = |at: &i64| clock.advance(START.saturating_add_signed(at * 1_000_000_000));
        seconds.iter().map(advance).map(|tick| tick.map(|tick| tick.now)).collect()
    }

    #[test]
    fn time_is_that_of_the_points() {
        assert_eq!(run(&[0, 5, 10, 15]), [Some(0.0), Some(5.0), Some(10.0), Some(15.0)]);
    }

    #[test]
    fn a_jump_forward_counts_twice_the_step_before() {
        assert_eq!(run(&[0, 5, 3605, 3610]), [Some(0.0), Some(5.0), Some(15.0), Some(20.0)]);
    }

    #[test]
    fn where_time_was_not_what_the_points_say_it_is_told() {
        let mut clock = SeriesClock::default();
        let mut broken = |at: u64| clock.advance(START + at * SECOND).map(|tick| tick.broken);
        let told = [0, 5, 3605, 3610, 10, 15, 20].map(&mut broken);
        assert_eq!(told, [Some(false), Some(false), Some(true), Some(false), None, None, Some(true)]);
    }

    #[test]
    fn a_late_point_is_not_judged() {
        assert_eq!(run(&[0, 5, 3, 10, 10]), [Some(0.0), Some(5.0), None, Some(10.0), None]);
    }

    #[test]
    fn a_clock_set_back_is_followed_after_three_points() {
        assert_eq!(run(&[0, 5, -100, -95, -90, -85]), [Some(0.0), Some(5.0), None, None, Some(10.0), Some(15.0)]);
    }
}
