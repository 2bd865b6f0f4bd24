//! Whether the probe on `deferreturn` is always on, or stands in windows, and how many of the hits are walked.

use std::time::{Duration, Instant};

use super::Load;
use super::figures::real;

/// Part of what is available that a plan may use; the rest is for what it did not foresee.
const USED: f64 = 0.8;
/// What is cheaper than this part of what is available may become always on.
const EASY: f64 = 0.65;
/// What is cheaper than this part may walk more.
const EASIER: f64 = 0.5;
/// At most one in 2^10 hits is walked where too many are hit, so that a mean still comes out within seconds.
const MAX_SHIFT: u8 = 10;
/// Walks that a window is to bring, if it has as many hits.
const WALKS: f64 = 16.0;
/// Seconds of what is available that the walks of one window may add up to, where fewer walks can avoid more.
const MOST_PER_WINDOW: f64 = 1.0;
/// A walk that costs no more than this part of a hit is not worth saving.
const CHEAP_WALK: f64 = 0.25;
/// Length of a window unless another is asked for: as long as placing and removing a breakpoint takes anyway.
const LENGTH: Duration = Duration::from_millis(10);
/// Windows that are closer would keep the agent busy with placing breakpoints.
const CLOSEST: Duration = Duration::from_millis(200);
/// Windows that are farther apart are left to the arbiter: it grants none that are too expensive.
const FARTHEST: Duration = Duration::from_mins(1);
/// So many windows say a rate, and the first ones come as close as savings pay for: nobody is to wait for it.
const FIRST: u32 = 3;
/// How long windows must have seen an easy load before the probe becomes always on again, after it was too much once, and at
/// most. Doubled each time it was too much again soon.
const HOLD: Duration = Duration::from_secs(5);
const LONGEST_HOLD: Duration = Duration::from_mins(1);

/// How the probe is placed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Not at all: the binary has no `deferreturn`.
    Off,
    /// Always; one in 2^`shift` hits is walked.
    AlwaysOn {
        /// Binary logarithm of hits per walk.
        shift: u8,
    },
    /// For `length`, about once in `every`; one in 2^`shift` hits is walked.
    Windows {
        /// Mean time from the beginning of one window to the next.
        every: Duration,
        /// Length of a window.
        length: Duration,
        /// Binary logarithm of hits per walk.
        shift: u8,
    },
}

impl Mode {
    fn shift(self) -> u8 {
        match self {
            Self::Off => MAX_SHIFT,
            Self::AlwaysOn { shift } | Self::Windows { shift, .. } => shift,
        }
    }
}

/// Decides how the probe is placed, without going back and forth.
#[derive(Debug)]
pub(crate) struct Planner {
    mode: Mode,
    /// Of windows.
    length: Duration,
    /// Since when the mode is what it is, and the windows that there were since.
    since: Instant,
    opened: u32,
    /// How long an easy load has to last, and since when it does.
    hold: Duration,
    easy_since: Option<Instant>,
}

impl Planner {
    /// `deferreturn`: whether the binary has it. The first look is a window, which does little harm whatever it finds.
    pub(crate) fn new(deferreturn: bool, now: Instant) -> Self {
        let mode = if deferreturn { Mode::Windows { every: CLOSEST, length: LENGTH, shift: 4 } } else { Mode::Off };
        Self { mode, length: LENGTH, since: now, opened: 0, hold: Duration::ZERO, easy_since: None }
    }

    /// How long windows are from now on.
    pub(crate) fn set_length(&mut self, length: Duration) {
        self.length = length;
        if let Mode::Windows { length: present, .. } = &mut self.mode {
            *present = length;
        }
    }

    /// How the probe is placed now.
    pub(crate) fn mode(&self) -> Mode {
        self.mode
    }

    /// Decides anew. `available` is what rates may cost, in seconds per second; nothing becomes always on while `in_debt`.
    pub(crate) fn decide(&mut self, load: &Load, available: f64, in_debt: bool, now: Instant) -> Mode {
        let affordable = |rate: f64, shift: u8, part: f64| rate * load.each(shift) <= part * available;
        let next = match self.mode {
            Mode::Off => Mode::Off,
            Mode::AlwaysOn { shift } => {
                let finer = (0..shift).find(|finer| affordable(load.hits_per_second, *finer, EASIER));
                let enough = || (shift..=MAX_SHIFT).find(|shift| affordable(load.hits_per_second, *shift, USED));
                match finer.or_else(enough) {
                    Some(shift) => Mode::AlwaysOn { shift },
                    None => return self.over_limit(load, available, now),
                }
            }
            Mode::Windows { .. } => {
                self.opened = self.opened.saturating_add(1);
                let easy = !in_debt && affordable(load.peak, MAX_SHIFT, EASY);
                let since = if easy { Some(*self.easy_since.get_or_insert(now)) } else { None };
                self.easy_since = since;
                let lasting = since.is_some_and(|since| now.saturating_duration_since(since) >= self.hold);
                let shift = (0..=MAX_SHIFT).find(|shift| affordable(load.peak, *shift, EASY));
                match shift.filter(|_| lasting) {
                    Some(shift) => Mode::AlwaysOn { shift },
                    None => self.windows(load, available),
                }
            }
        };
        self.enter(next, now)
    }

    /// The kernel side counted more than [`limit_hits`](Self::limit_hits), or the arbiter takes back: from now on windows.
    /// `load` holds already what was too much.
    pub(crate) fn over_limit(&mut self, load: &Load, available: f64, now: Instant) -> Mode {
        if self.mode == Mode::Off {
            return Mode::Off;
        }
        if matches!(self.mode, Mode::AlwaysOn { .. }) {
            let calm = now.saturating_duration_since(self.since) > LONGEST_HOLD;
            self.hold = if calm { HOLD } else { self.hold.saturating_mul(2).clamp(HOLD, LONGEST_HOLD) };
        }
        self.easy_since = None;
        self.enter(self.windows(load, available), now)
    }

    /// Hits within one second after which the kernel side has to say at once that it is too much: what is available for that
    /// second is spent then.
    pub(crate) fn limit_hits(&self, load: &Load, available: f64) -> u64 {
        whole((available / load.each(self.mode.shift()).max(1e-9)).floor()).max(1)
    }

    fn windows(&self, load: &Load, available: f64) -> Mode {
        match windows(load, available, self.length) {
            Mode::Windows { length, shift, .. } if self.opened < FIRST => Mode::Windows { every: CLOSEST, length, shift },
            later => later,
        }
    }

    fn enter(&mut self, mode: Mode, now: Instant) -> Mode {
        if std::mem::discriminant(&mode) != std::mem::discriminant(&self.mode) {
            (self.since, self.opened) = (now, 0);
            self.easy_since = None;
        }
        self.mode = mode;
        mode
    }
}

/// When the next window opens if the last one opened at `last`. `random` is evenly distributed in 0..1: windows that come as
/// regularly as the bursts of a target would always meet them, or never.
pub(crate) fn next_window(last: Instant, every: Duration, random: f64) -> Instant {
    last + every.mul_f64(0.5 + random.clamp(0.0, 1.0))
}

/// What a window is expected to cost in all: its hits as long as the breakpoint is in place.
pub(crate) fn expected(load: &Load, shift: u8) -> Duration {
    let cost = load.peak * load.each(shift) * load.residency.as_secs_f64();
    Duration::try_from_secs_f64(cost).unwrap_or(Duration::MAX)
}

fn windows(load: &Load, available: f64, length: Duration) -> Mode {
    let hits = load.hits_per_second * length.as_secs_f64();
    let cost = |shift: u8| load.hits_per_second * load.each(shift) * load.residency.as_secs_f64();
    let brings_enough = |shift: u8| hits * 0.5_f64.powi(i32::from(shift)) >= WALKS;
    let cheap = |shift: u8| load.each(shift) - load.each(u8::MAX) <= CHEAP_WALK * load.hit.as_secs_f64();
    let affordable = |shift: u8| cost(shift) <= MOST_PER_WINDOW * available;
    let enough = |shift: &u8| cheap(*shift) || (affordable(*shift) && !brings_enough(shift + 1));
    let shift = (0..=MAX_SHIFT).find(enough).unwrap_or(MAX_SHIFT);
    let every = Duration::try_from_secs_f64(cost(shift) / (USED * available)).unwrap_or(Duration::MAX);
    Mode::Windows { every: every.clamp(CLOSEST, FARTHEST), length, shift }
}

/// A number that is not negative as a count; what is too large becomes the largest.
fn whole(number: f64) -> u64 {
    let largest = u64::MAX >> 12;
    if number >= real(largest) {
        return largest;
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 2^52 after the checks")]
    let whole = number.max(0.0) as u64;
    whole
}
