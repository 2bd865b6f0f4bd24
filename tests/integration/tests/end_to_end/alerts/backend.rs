//! An OTLP backend is not there for a minute.

use std::time::Duration;

use deferd_fixtures::missing;
use deferd_integration::alerting::{Alerting, Backend};
use deferd_integration::config::Watch;
use deferd_integration::deferd::Service;
use deferd_integration::lookalikes::LookAlike;
use deferd_integration::otlp_sink::Sink;
use deferd_integration::{port, wait};

use super::{emitted, rule, serve};

/// How long it is not there.
const DOWN: Duration = Duration::from_mins(1);

/// A queue that a minute of looks does not fit into.
const SMALL: u32 = 50;

#[test]
fn a_minute_without_the_backend_loses_nothing_that_the_queue_holds_and_counts_the_rest() {
    if std::env::var_os("DEFERD_SLOW").is_none() && !missing::is_ci() {
        return missing::skip("a minute without the backend", "takes a minute (set DEFERD_SLOW=1)");
    }
    let program = LookAlike::start("churn");
    let mut sides = [Backend::new(0).queue_size, SMALL].map(|queue_size| Side::start(program.pid(), queue_size));
    for side in &mut sides {
        side.sink.down();
    }
    wait::pause(DOWN);
    for side in &mut sides {
        side.sink.up();
    }
    let [ample, small] = sides.map(Side::settle);
    assert_eq!(ample.dropped, 0, "{ample:?}");
    assert!(small.dropped > 0, "the small queue overflows: {small:?}");
    for account in [&ample, &small] {
        assert_eq!(account.arrived + account.dropped, account.emitted, "{account:?}");
    }
    missing::report(&format!("backend down {DOWN:?}: queue of 1000 {ample:?}; queue of {SMALL} {small:?}"));
}

/// A service and its backend.
struct Side {
    sink: Sink,
    service: Service,
}

/// Points, by what became of them.
#[derive(Debug, PartialEq, Eq)]
struct Account {
    emitted: usize,
    arrived: usize,
    dropped: usize,
}

impl Side {
    fn start(pid: u32, queue_size: u32) -> Self {
        let sink = Sink::start();
        let mut watch = Watch::pids(&[pid]);
        watch.interval = "200ms".into();
        // Nobody listens there: nothing fires.
        let mut alerting = Alerting::new(watch, port::free(), &rule().alone());
        alerting.otlp = Some(Backend { port: sink.port(), queue_size });
        let service = serve(&alerting);
        wait::until("points arrive", || (sink.look(|received| received.points) > 0).then_some(()));
        Self { sink, service }
    }

    /// Waits until nothing is on its way.
    fn settle(self) -> Account {
        let Self { sink, service } = self;
        let dropped = || {
            let labels = [("component", "exporters::otlp"), ("signal", "metrics"), ("reason", "queue_full")];
            whole(service.own_metrics().value("deferd_dropped_items", &labels).unwrap_or_default())
        };
        let account = || {
            let before = whole(emitted(&service));
            let account = Account { emitted: before, arrived: sink.look(|received| received.points), dropped: dropped() };
            // A look between the questions would mix two states.
            (whole(emitted(&service)) == before && account.arrived + account.dropped == before).then_some(account)
        };
        let (account, _) = wait::within(Duration::from_secs(90), "all has arrived or is counted", account);
        assert_eq!(service.stop().code, Some(0));
        account
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts")]
fn whole(count: f64) -> usize {
    count as usize
}
