//! The loops that post, one for each Alertmanager.

use std::time::Duration;

use deferd_component::Stop;
use deferd_component::telemetry::Counter;
use futures_util::future::join_all;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::post::{MAX_BATCH, Outcome, deliver};
use super::state::{Moment, Timing};
use super::trouble::Trouble;
use super::{Endpoint, Shared};

/// Time for what is under way, and for telling the latest news, once stopping was asked for.
const GRACE: Duration = Duration::from_secs(2);
/// Shortest wait after a failure, even if none is configured.
const BREATH: Duration = Duration::from_millis(100);
/// Longest wait between two looks, whatever is due.
const LOOK: Duration = Duration::from_mins(1);

/// Serves every Alertmanager until `stop`. Nothing is resolved then: the next instance refreshes what fires, or it ends by itself.
pub(super) async fn serve(shared: &Shared, stop: Stop) {
    let addresses: Vec<String> = shared.endpoints.iter().map(|endpoint| endpoint.address.clone()).collect();
    shared.state.alerts.lock().set_endpoints(&addresses);
    shared.state.troubles.retain(&addresses, &shared.component, &shared.context.health);
    join_all(shared.endpoints.iter().map(|endpoint| Line::new(shared, endpoint).serve(&stop))).await;
}

/// The line to one Alertmanager.
struct Line<'a> {
    shared: &'a Shared,
    endpoint: &'a Endpoint,
    sent: Counter,
    failed: Counter,
    rejected: Counter,
    /// The next wait after a failure.
    wait: Duration,
}

impl<'a> Line<'a> {
    fn new(shared: &'a Shared, endpoint: &'a Endpoint) -> Self {
        let counter = |result: &str| {
            let labels = vec![
                ("exporter", shared.context.id.to_string()),
                ("signal", shared.signal.as_str().to_owned()),
                ("endpoint", endpoint.address.clone()),
                ("result", result.to_owned()),
            ];
            shared.telemetry().counter("deferd_alertmanager_notifications", "Alerts posted, by what became of the post", labels)
        };
        let wait = shared.config.retry_on_failure.initial_interval.get();
        Self { shared, endpoint, sent: counter("sent"), failed: counter("failed"), rejected: counter("rejected"), wait }
    }

    async fn serve(mut self, stop: &Stop) {
        let mut changes = self.shared.state.changes.subscribe();
        loop {
            changes.borrow_and_update();
            let failed = tokio::select! {
                failed = self.pass(self.shared.timing) => failed,
                () = async { stop.wait().await; sleep(GRACE).await } => return,
            };
            if let Some(wait) = failed {
                // News do not cut this wait short: they would make a server that is down the busier the more there is to say.
                tokio::select! {
                    () = stop.wait() => return,
                    () = sleep(wait) => continue,
                }
            }
            let next = self.shared.state.alerts.lock().next(&self.endpoint.address, &self.shared.timing, Moment::now());
            tokio::select! {
                () = stop.wait() => break,
                _ = changes.changed() => {}
                () = sleep_until(Instant::from_std(next).min(Instant::now() + LOOK)) => {}
            }
        }
        // What came in since is told still.
        let mut timing = self.shared.timing;
        if self.shared.is_last() {
            // And what fires is to last until the next process has found it again.
            self.shared.state.alerts.lock().farewell(&self.endpoint.address);
            timing = timing.farewell();
        }
        let _ = timeout(GRACE, self.pass(timing)).await;
    }

    /// Posts all that is due. Returns how long to wait before the next attempt if one failed.
    async fn pass(&mut self, timing: Timing) -> Option<Duration> {
        let (mut trouble, mut posted) = (None, false);
        loop {
            let now = Moment::now();
            let posts = {
                let mut alerts = self.shared.state.alerts.lock();
                let unheard = alerts.sweep(&self.shared.timing, now);
                let posts = alerts.due(&self.endpoint.address, &timing, now, MAX_BATCH);
                drop(alerts);
                self.shared.account(
                    "not_delivered",
                    unheard,
                    "news were given up because an Alertmanager did not take them in time",
                );
                posts
            };
            self.shared.show();
            if posts.is_empty() {
                break;
            }
            posted = true;
            let mut ended = None;
            deliver(&self.endpoint.client, &posts, |posts, outcome| {
                let counter = match outcome {
                    Outcome::Taken => &self.sent,
                    Outcome::Refused(_) | Outcome::Unwelcome(_) => &self.rejected,
                    Outcome::Failed(..) => &self.failed,
                };
                counter.add(posts.len());
                match outcome {
                    Outcome::Failed(..) | Outcome::Unwelcome(_) => ended = Some(outcome.clone()),
                    Outcome::Taken | Outcome::Refused(_) => {
                        let refused = if let Outcome::Refused(text) = outcome { Some(text) } else { None };
                        trouble = refused.cloned().map(Trouble::Rejected).or(trouble.take());
                        self.shared.state.alerts.lock().record(&self.endpoint.address, posts, refused.is_some(), now);
                    }
                }
            })
            .await;
            match ended {
                Some(Outcome::Failed(text, after)) => return Some(self.fail(text, after)),
                Some(Outcome::Unwelcome(text)) => {
                    self.report(Some(Trouble::Rejected(text)));
                    // A refresh is what keeps alerts alive, so it is tried whatever the last answer was; nothing is sooner.
                    return Some(self.shared.timing.refresh);
                }
                _ => {}
            }
        }
        // Where nothing was due nothing is known.
        if posted {
            self.wait = self.shared.config.retry_on_failure.initial_interval.get();
            self.report(trouble);
        }
        None
    }

    fn fail(&mut self, text: String, after: Option<Duration>) -> Duration {
        self.shared.state.alerts.lock().lost(&self.endpoint.address);
        self.report(Some(Trouble::Unreachable(text)));
        let retry = &self.shared.config.retry_on_failure;
        let refresh = self.shared.timing.refresh;
        if !retry.enabled {
            return refresh;
        }
        let spread = 1.0 + retry.randomization_factor * (2.0 * fastrand::f64() - 1.0);
        let wait = scaled(self.wait, spread).max(after.unwrap_or_default());
        self.wait = scaled(self.wait, retry.multiplier).min(retry.max_interval.get());
        // What a server asks for must not let its alerts expire.
        wait.min(refresh).max(BREATH)
    }

    fn report(&self, trouble: Option<Trouble>) {
        let Shared { state, component, context, .. } = self.shared;
        state.troubles.set(&self.endpoint.address, trouble, component, &context.health);
    }
}

fn scaled(duration: Duration, factor: f64) -> Duration {
    Duration::try_from_secs_f64(duration.as_secs_f64() * factor).unwrap_or(Duration::MAX)
}
