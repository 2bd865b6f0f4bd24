//! Open files, seen without a probe.

use std::fs;
use std::time::Duration;

use deferd_fixtures::missing;
use deferd_integration::config::Watch;
use deferd_integration::deferd::Service;
use deferd_integration::leaks::Leak;
use deferd_integration::wait;

const GROWTH: &str = "process_unix_file_descriptor_growth_per_second";
const BY_TYPE: &str = "process_unix_file_descriptor_count_by_type";

#[test]
fn files_that_are_never_closed_are_shown_by_type_and_as_growth_within_half_a_minute_at_the_default_interval() {
    let leak = Leak::ready("files");
    let watch = Watch { interval: "5s".into(), ..Watch::pids(&[leak.pid()]) };
    let service = Service::start(&watch.yaml(), watch.ports);
    let regular = || service.scrape().value(BY_TYPE, &[("process_unix_file_descriptor_type", "regular")]);
    let growth = || service.scrape().value(GROWTH, &[]);
    wait::until("the count is shown", || service.scrape().value("process_unix_file_descriptor_count", &[]));
    let before = regular().unwrap_or_default();
    leak.tell("start");
    let limit = Duration::from_secs(30);
    let (_, took) = wait::within(limit, "growth is shown", || growth().filter(|growth| *growth > 0.5));
    missing::report(&format!("a leak of files is shown as growth after {took:?}"));
    wait::until("the leaked files are regular ones", || regular().filter(|now| *now > before + 10.0));
    leak.tell("pause");
    let (files, total) = open_files(leak.pid());
    wait::until("a look sees what there is", || {
        let exposition = service.scrape();
        let sum: f64 = exposition.all(BY_TYPE, &[]).iter().map(|sample| sample.value).sum();
        let shown = exposition.value("process_unix_file_descriptor_count", &[])?;
        // Connections to the program come and go.
        (regular() == Some(files) && (sum - shown).abs() < 3.0 && (shown - total).abs() < 3.0).then_some(())
    });
    assert_eq!(service.stop().code, Some(0));
}

/// Regular files that a process has open, and all of its files.
fn open_files(pid: u32) -> (f64, f64) {
    let all: Vec<_> = fs::read_dir(format!("/proc/{pid}/fd")).unwrap().flatten().collect();
    let regular = all.iter().filter(|file| fs::metadata(file.path()).is_ok_and(|metadata| metadata.is_file())).count();
    let number = |count: usize| f64::from(u32::try_from(count).unwrap());
    (number(regular), number(all.len()))
}
