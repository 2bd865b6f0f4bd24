//! Watching the finding grow.

use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use deferd_config::one_line;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::alarm::Alarm;
use super::fetch::{FetchError, get};
use super::leaky::{Leaky, LeakyError};
use super::scrape::{Finding, alert, worst};
use super::truth::{Bounds, History, Reading};
use crate::service::{Request, Signals};
use crate::terminal;
use crate::units;

/// Time between two questions to the program and the exporter.
const TICK: Duration = Duration::from_millis(100);
/// The first finding is expected after a second; after this something is wrong.
const PATIENCE: Duration = Duration::from_secs(30);

/// The rule whose alert is waited for.
pub(super) const RULE: &str = "DeferPendingGrows";

/// Why watching ended early.
#[derive(Debug, thiserror::Error)]
pub(super) enum WatchError {
    #[error(transparent)]
    Program(#[from] LeakyError),
    #[error("the prometheus exporter does not answer: {0}")]
    Scrape(#[from] FetchError),
    #[error("no finding within {} s; what stands above says why, or `deferd snapshot {pid}` does", PATIENCE.as_secs())]
    Nothing {
        /// The program.
        pid: u32,
    },
}

/// What is being watched, and what was found so far.
struct Watch<'a> {
    leaky: &'a Leaky,
    scrape: SocketAddr,
    begun: Instant,
    history: History,
    /// Found and not yet shown: its bounds are not complete.
    waiting: Option<Finding>,
    /// When the newest finding that was seen was taken.
    newest: SystemTime,
    shown: u32,
    wrong: u32,
    alarm: Alarm,
}

/// Shows findings for `duration` (without end if that is 0) or until a signal; then makes the program pause and compares once
/// more, and ends the leak, which ends the alert about it. Returns whether all that was reported was true.
pub(super) async fn watch(
    leaky: &Leaky,
    scrape: SocketAddr,
    duration: Duration,
    signals: &mut Signals,
) -> Result<bool, WatchError> {
    let mut watch = Watch {
        leaky,
        scrape,
        begun: Instant::now(),
        history: History::default(),
        waiting: None,
        newest: SystemTime::UNIX_EPOCH,
        shown: 0,
        wrong: 0,
        alarm: Alarm::default(),
    };
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // A short look still waits for the alert.
    while duration.is_zero() || watch.begun.elapsed() < duration || watch.expects_alarm(duration) {
        tokio::select! {
            _ = ticks.tick() => watch.step().await?,
            request = signals.next() => if matches!(request, Request::Stop(_)) {
                watch.summarise();
                return Ok(watch.wrong == 0);
            },
        }
    }
    watch.compare_paused(signals).await?;
    watch.end_leak(signals).await?;
    watch.summarise();
    Ok(watch.wrong == 0 && watch.alarm == Alarm::Resolved)
}

impl Watch<'_> {
    /// Asks both sides once and shows what is new.
    async fn step(&mut self) -> Result<(), WatchError> {
        let begun = SystemTime::now();
        let counters = self.leaky.counters().await?;
        self.history.add(Reading { begun, ended: SystemTime::now(), counters });
        if let Some(finding) = self.waiting.take() {
            match self.history.bounds(finding.taken) {
                Some(bounds) => self.show(&finding, bounds),
                None => self.waiting = Some(finding),
            }
        }
        if let Some(finding) = self.news().await? {
            // Looks older than the first reading have nothing to be held to.
            self.waiting = self.waiting.take().or_else(|| self.history.covers(finding.taken).then_some(finding));
        }
        if self.shown == 0 && self.begun.elapsed() > PATIENCE {
            return Err(WatchError::Nothing { pid: self.leaky.pid() });
        }
        Ok(())
    }

    /// What the exporter shows, if that is newer than what it showed before.
    async fn news(&mut self) -> Result<Option<Finding>, WatchError> {
        let page = get(self.scrape, "/metrics").await?;
        if let Some(line) = self.alarm.look(alert(&page, RULE).as_ref(), self.begun.elapsed()) {
            terminal::show(&line);
        }
        let finding = worst(&page).filter(|finding| finding.taken > self.newest);
        if let Some(finding) = &finding {
            self.newest = finding.taken;
        }
        Ok(finding)
    }

    fn show(&mut self, finding: &Finding, bounds: Bounds) {
        if self.shown == 0 {
            terminal::show(&headline(finding, self.begun.elapsed()));
        }
        self.shown += 1;
        let held = bounds.hold(finding.pending);
        self.wrong += u32::from(!held);
        terminal::show(&row(finding, bounds, self.begun.elapsed()));
    }

    /// With the program at rest its count is exact, and so must be what is reported.
    async fn compare_paused(&mut self, signals: &mut Signals) -> Result<(), WatchError> {
        let exact = self.leaky.pause().await?;
        let (paused, deadline) = (SystemTime::now(), Instant::now() + PATIENCE);
        let bounds = Bounds { low: exact.pending, high: exact.pending_at_most };
        while Instant::now() < deadline {
            tokio::select! {
                () = tokio::time::sleep(TICK) => {}
                request = signals.next() => if matches!(request, Request::Stop(_)) { return Ok(()) },
            }
            if let Some(finding) = self.news().await?.filter(|finding| finding.taken > paused) {
                terminal::show("the program pauses, so that its own count is exact:\n");
                self.show(&finding, bounds);
                return Ok(());
            }
        }
        Err(WatchError::Nothing { pid: self.leaky.pid() })
    }

    fn expects_alarm(&self, duration: Duration) -> bool {
        self.alarm == Alarm::Quiet && self.begun.elapsed() < duration + PATIENCE
    }

    /// Lets the leaking function return, and waits for the end of the alert.
    async fn end_leak(&mut self, signals: &mut Signals) -> Result<(), WatchError> {
        let left = self.leaky.stop().await?;
        let after = self.begun.elapsed().as_secs();
        terminal::show(&format!(
            "{after:>5} s  the leaking function returns: its deferred calls are run, {} are left\n",
            left.pending
        ));
        let deadline = Instant::now() + PATIENCE;
        while self.alarm == Alarm::Firing && Instant::now() < deadline {
            tokio::select! {
                () = tokio::time::sleep(TICK) => {}
                request = signals.next() => if matches!(request, Request::Stop(_)) { return Ok(()) },
            }
            self.news().await?;
        }
        Ok(())
    }

    fn summarise(&self) {
        let (shown, right) = (self.shown, self.shown - self.wrong);
        let alarm = match self.alarm {
            Alarm::Quiet => "no alert fired",
            Alarm::Firing => "the alert still fires",
            Alarm::Resolved => "the alert fired and was resolved",
        };
        terminal::show(&format!("demo: {alarm}\n"));
        terminal::show(&format!("demo: {right} of {shown} looks agree with the program's own counter; ends the program\n"));
    }
}

fn headline(finding: &Finding, after: Duration) -> String {
    format!(
        "found after {:.1} s: {} {} defers {}\n\n{:>7}  {:<14}{:>9}{:>11}{:>12}   {}\n",
        after.as_secs_f64(),
        one_line(&finding.place),
        one_line(&finding.function),
        one_line(&finding.callee),
        "TIME",
        "SITE",
        "PENDING",
        "GROWTH",
        "MEMORY",
        "THE PROGRAM'S OWN COUNTER"
    )
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "casts of f64 saturate, and counts are not negative")]
fn row(finding: &Finding, bounds: Bounds, after: Duration) -> String {
    let growth = finding.growth.map_or_else(|| "-".to_owned(), |growth| format!("{growth:+.1}/s"));
    let counter = match (bounds.low, bounds.high) {
        (low, high) if low == high => units::count(low),
        (low, high) => format!("{} to {}", units::count(low), units::count(high)),
    };
    format!(
        "{:>5} s  {:<14}{:>9}{:>11}{:>12}   {counter}: {}\n",
        after.as_secs(),
        one_line(&finding.place),
        units::count(finding.pending as u64),
        growth,
        units::bytes(finding.memory as u64),
        if bounds.hold(finding.pending) { "agrees" } else { "DISAGREES" }
    )
}
