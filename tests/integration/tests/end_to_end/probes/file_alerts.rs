//! The default rules over programs that open files: two leaks, and two pools that fill up in one minute and in two.

use std::collections::BTreeSet;
use std::time::Duration;

use deferd_fixtures::{Mode, binary, missing, newest};
use deferd_integration::files::Files;
use deferd_integration::probing::Probing;
use deferd_integration::wait;

/// Half a minute until they are named, three until that is told, and for a busy machine.
const TOLD_WITHIN: Duration = Duration::from_mins(5);

#[test]
fn the_default_rules_name_who_leaks_files_and_how_and_are_silent_over_pools_that_fill_up_in_two_minutes() {
    if std::env::var_os("DEFERD_SLOW").is_none() && !missing::is_ci() {
        missing::skip("alerts over files for four minutes", "takes four minutes (set DEFERD_SLOW=1)");
        return;
    }
    let file = binary("files", newest(), Mode::Plain);
    let mut leaks = ["missing", "deferred"].map(|fault| Files::ready(&file, &["-leak", fault]));
    let mut pools = ["60s", "120s"].map(|over| Files::ready(&file, &["-warm", "2000", "-over", over]));
    let pids: Vec<u32> = leaks.iter().chain(&pools).map(Files::pid).collect();
    let Some(probing) = Probing::of(&pids) else { return };
    let service = probing.start_with_rules("{}", "include: [default]");
    let counted = |pid| probing.recording().about(pid).of("process.unix.file_descriptor.count").next().is_some();
    wait::until("they are watched", || pids.iter().all(|pid| counted(*pid)).then_some(()));
    leaks.iter_mut().chain(&mut pools).for_each(Files::begin);
    let ((), took) = wait::within(TOLD_WITHIN, "both leaks are told", || {
        wait::pause(Duration::from_secs(1));
        leaks.iter().all(|leak| fired(&probing, leak).contains(&told(leak))).then_some(())
    });
    for leak in &leaks {
        // What is deferred in a loop is pending there, which has a rule of its own.
        let of_files = fired(&probing, leak).into_iter().filter(|(name, ..)| name != "DeferPendingGrows");
        assert_eq!(of_files.collect::<Vec<_>>(), [told(leak)]);
    }
    for pool in &mut pools {
        assert_eq!(fired(&probing, pool), BTreeSet::new());
        let open = pool.held().last().map_or(0, |held| held.open);
        assert_eq!(open, 2000, "it has filled up");
    }
    missing::report(&format!("files: both leaks are told {took:?} after they began"));
    assert_eq!(service.stop().code, Some(0));
}

/// Name, function, line and what is wrong.
type Alert = (String, String, String, String);

/// The alert that a leak deserves.
fn told(leak: &Files) -> Alert {
    let said = leak.said();
    ("OpenFilesGrow".into(), said.function.clone(), said.line.to_string(), said.fault.clone())
}

/// All alerts that have fired over a program.
fn fired(probing: &Probing, program: &Files) -> BTreeSet<Alert> {
    let recording = probing.recording().about(program.pid());
    let alerts = recording.of("deferd.alert.active").filter(|point| point.value > 0.5).map(|point| {
        let text = |key: &str| point.attributes.get(key).cloned().unwrap_or_default();
        (text("alert.name"), text("code.function.name"), text("code.line.number"), text("go.file.close"))
    });
    alerts.collect()
}
