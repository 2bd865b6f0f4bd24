//! A program of other people's under load for a minute: every figure that can be checked is right, every time.
//!
//! Runs in CI and with `DEFERD_SLOW=1`; it takes a minute, and the first time the module proxy.

#[cfg(test)]
mod under_load {
    use std::collections::{BTreeMap, BTreeSet};
    use std::ops::RangeInclusive;
    use std::time::{Duration, Instant};

    use deferd_fixtures::missing;
    use deferd_integration::config::Watch;
    use deferd_integration::deferd::{self, Service};
    use deferd_integration::exposition::Exposition;
    use deferd_integration::nats::{self, Load, Server, Stacks};
    use deferd_integration::snapshot::{Site, Snapshot};
    use deferd_integration::wait;

    const TIME: Duration = Duration::from_mins(1);

    /// Goroutines that may come and go between the program's own two counts: those of the client that does, while one connection
    /// ends and the next begins.
    const COMING_AND_GOING: u64 = 4;

    /// Goroutines of one look that may have been caught in motion. Those of a busy server move; what matters is that they are said to
    /// be left out, and that they do not add up.
    const MOVING: f64 = 8.0;

    #[test]
    fn no_figure_about_a_busy_nats_server_is_wrong_for_a_minute() {
        if std::env::var_os("DEFERD_SLOW").is_none() && !missing::is_ci() {
            missing::skip("nats-server under load", "takes a minute (set DEFERD_SLOW=1)");
            return;
        }
        let file = match nats::build() {
            Ok(file) => file,
            Err(error) => return missing::skip("nats-server under load", &format!("cannot be built: {error}")),
        };
        let server = Server::start(&file);
        let load = Load::start(&server);
        let watch = Watch { interval: "1s".into(), ..Watch::pids(&[server.pid()]) };
        let service = Service::start(&watch.yaml(), watch.ports);
        wait::until("the first look", || (!service.scrape().all("go_defer_pending", &[]).is_empty()).then_some(()));

        let mut checks = Checks::default();
        let begin = Instant::now();
        while begin.elapsed() < TIME {
            server.ask_monitor();
            let before = server.goroutines();
            let seen = deferd::snapshot(server.pid()).unwrap();
            let after = server.goroutines();
            checks.snapshot(&before, &seen, &after);
            checks.scrape(&service.scrape(), bracket(&before, &after));
            wait::pause(Duration::from_millis(500));
        }
        let received = load.received();
        load.stop();
        assert_eq!(service.stop().code, Some(0));
        assert!(received > 10_000, "a server that does nothing proves nothing: {received}");
        missing::report(&checks.report(received));
    }

    /// The program's own two counts, from the smaller without what the test itself causes to the larger with it.
    fn bracket(before: &Stacks, after: &Stacks) -> RangeInclusive<u64> {
        before.count_without_http().min(after.count_without_http())..=before.count().max(after.count())
    }

    fn assert_near(total: u64, counts: &RangeInclusive<u64>) {
        let (least, most) = (counts.start().saturating_sub(COMING_AND_GOING), counts.end() + COMING_AND_GOING);
        assert!((least..=most).contains(&total), "{total} goroutines, where the program counts {counts:?}");
    }

    /// What was checked, and the worst of it.
    #[derive(Default)]
    struct Checks {
        snapshots: usize,
        scrapes: usize,
        bracketed: usize,
        goroutines: u64,
        places: BTreeMap<(String, u32), bool>,
        functions: BTreeSet<String>,
        held: usize,
        unverified: u64,
        unverified_looks: usize,
    }

    impl Checks {
        fn snapshot(&mut self, before: &Stacks, seen: &Snapshot, after: &Stacks) {
            self.snapshots += 1;
            let (counts, total) = (bracket(before, after), seen.goroutines.total);
            assert_near(total, &counts);
            self.bracketed += usize::from(counts.contains(&total));
            self.goroutines = self.goroutines.max(total);
            self.unverified = self.unverified.max(seen.unverified.goroutines);
            self.unverified_looks += usize::from(seen.unverified.goroutines > 0);
            for site in &seen.sites {
                self.place(&site.file, site.line);
                self.holders(before, site, after);
            }
        }

        /// A goroutine holds a deferred call of a function only while it is inside that function.
        fn holders(&mut self, before: &Stacks, site: &Site, after: &Stacks) {
            assert!(site.goroutines >= 1 && site.max_chain >= 1 && site.pending >= site.max_chain, "{site:?}");
            assert!(site.pending <= site.max_chain * site.goroutines, "{site:?}");
            let inside = before.inside(&site.function).max(after.inside(&site.function));
            assert!(site.goroutines <= inside + COMING_AND_GOING, "{inside} goroutines are inside: {site:?}");
            if inside > 0 {
                self.held += 1;
                self.functions.insert(site.function.clone());
            }
        }

        fn scrape(&mut self, scrape: &Exposition, counts: RangeInclusive<u64>) {
            self.scrapes += 1;
            let total: f64 = scrape.all("go_goroutine_count", &[]).iter().map(|sample| sample.value).sum();
            assert_near(format!("{total}").parse().unwrap(), &counts);
            for sample in scrape.all("go_defer_pending", &[]) {
                let file = sample.label("code_file_path");
                // The sum of what is past the bound of sites has no place.
                if !file.is_empty() {
                    self.place(file, sample.label("code_line_number").parse().unwrap());
                }
            }
            let unverified = scrape.value("deferd_snapshot_unverified", &[]).unwrap_or_default();
            assert!(unverified <= MOVING, "{unverified} goroutines unverified");
        }

        /// The line that is reported is in the source, and is a defer statement.
        fn place(&mut self, file: &str, line: u32) {
            let is_defer = self.places.entry((file.to_owned(), line)).or_insert_with(|| {
                let source = std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{file}: {error}"));
                let text = source.lines().nth(usize::try_from(line).unwrap() - 1).unwrap_or_default();
                text.trim_start().starts_with("defer ")
            });
            assert!(*is_defer, "{file}:{line} is no defer statement");
        }

        fn report(&self, received: u64) -> String {
            format!(
                "nats-server: {received} messages; {} snapshots and {} scrapes, up to {} goroutines ({} of {} totals inside the \
                 program's own two counts, all within {COMING_AND_GOING}); {} places are defer statements; {} holders of {} functions \
                 agree with stacks; unverified at most {} in {} looks",
                self.snapshots,
                self.scrapes,
                self.goroutines,
                self.bracketed,
                self.snapshots,
                self.places.len(),
                self.held,
                self.functions.len(),
                self.unverified,
                self.unverified_looks,
            )
        }
    }
}
