//! How an answer is shown: as a list for people, or as it was sent.

use std::fmt::Write as _;

use deferd_component::Problem;

use crate::exit::Exit;
use crate::service::{Changes, Outcome, Report, Told};
use crate::terminal;

/// How the service names the text that came with a request.
const SENT: &str = "request";

/// Shows a report. Problems that stand in the text that was sent are shown in the file it came from.
pub(super) fn report(report: &Report, candidate: Option<&str>, json: bool) -> Exit {
    let exit = if report.result == Outcome::Rejected { Exit::Failed } else { Exit::Done };
    let shown = |told: &Told| in_file(told.problem(), candidate);
    report.warnings.iter().map(shown).for_each(terminal::warn);
    report.problems.iter().map(shown).for_each(terminal::complain);
    let text = if json {
        // Strings and numbers: this cannot fail.
        format!("{}\n", serde_json::to_string_pretty(report).unwrap_or_default())
    } else {
        list(report)
    };
    match terminal::show_result(&text) {
        Exit::Done => exit,
        failed => failed,
    }
}

fn in_file(mut problem: Problem, candidate: Option<&str>) -> Problem {
    if let (Some(origin), Some(candidate)) = (&mut problem.origin, candidate)
        && &*origin.source == SENT
    {
        origin.source = candidate.into();
    }
    problem
}

fn list(report: &Report) -> String {
    let Changes { kept, changed, added, removed } = &report.plan;
    let untouched = changed.is_empty() && added.is_empty() && removed.is_empty();
    let mut text = match (report.result, untouched) {
        (Outcome::Applied, false) => "applied\n",
        (Outcome::Applied, true) => "applied: nothing has changed\n",
        (Outcome::WouldApply, false) => "would apply\n",
        (Outcome::WouldApply, true) => "would apply: nothing would change\n",
        (Outcome::Rejected, _) => return "rejected: nothing has changed\n".to_owned(),
    }
    .to_owned();
    let instances = "rebuilt over its state, which is kept";
    for (verb, names, means) in
        [("changed", changed, instances), ("added", added, ""), ("removed", removed, "drained"), ("kept", kept, "")]
    {
        for name in names {
            let means = if name.starts_with("service::") { "" } else { means };
            let gap = if means.is_empty() { "" } else { ": " };
            // Writing to a String cannot fail.
            let _ = writeln!(text, "  {verb:<8} {}{gap}{means}", deferd_config::one_line(name));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_names_everything_and_says_what_becomes_of_it() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let plan = Changes {
            kept: names(&["exporters::debug for metrics"]),
            changed: names(&["receivers::godefer", "service::telemetry::logs"]),
            added: names(&["exporters::otlp for metrics"]),
            removed: names(&["processors::filter in metrics"]),
        };
        let report = Report { result: Outcome::WouldApply, plan, problems: Vec::new(), warnings: Vec::new() };
        let expected = "\
would apply
  changed  receivers::godefer: rebuilt over its state, which is kept
  changed  service::telemetry::logs
  added    exporters::otlp for metrics
  removed  processors::filter in metrics: drained
  kept     exporters::debug for metrics
";
        assert_eq!(list(&report), expected);
    }
}
