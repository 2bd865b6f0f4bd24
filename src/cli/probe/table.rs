//! The plan for people.

use std::fmt::Write as _;

use deferd_goproc::target::ProcessInfo;

use super::plan::{Budget, Plan, Probe, SECONDS_PER_HIT, SECONDS_PER_SAMPLE, samples_per_second};
use crate::cli::snapshot::table::identity;
use crate::units;

const HEADINGS: [&str; 5] = ["PROBE", "EVENT", "PLACE", "INSTRUCTION", "COST"];

/// Who, what would stand where, what would not and why, and what is paid for.
pub(super) fn text(process: &ProcessInfo, plan: &Plan) -> String {
    let mut text = format!("{}\nno probe was placed; these would be:\n\n", identity(process));
    text.push_str(&places(plan));
    for probe in &plan.probes {
        if let Err(reason) = &probe.place {
            let _ = writeln!(
                text,
                "not placed: {} ({}, {}): {reason}",
                probe.wanted.function, probe.wanted.probe, probe.wanted.event
            );
        }
    }
    let _ = writeln!(
        text,
        "timer: no breakpoint; {} samples per second of each CPU, {} each",
        samples_per_second(),
        microseconds(SECONDS_PER_SAMPLE)
    );
    text.push_str(&budget(&plan.budget));
    text
}

fn places(plan: &Plan) -> String {
    let rows: Vec<[String; 5]> = plan.probes.iter().filter_map(row).collect();
    if rows.is_empty() {
        return "none\n\n".to_owned();
    }
    let headings = HEADINGS.map(str::to_owned);
    let mut widths = [0; 5];
    for cells in std::iter::once(&headings).chain(&rows) {
        for (width, cell) in widths.iter_mut().zip(cells) {
            *width = (*width).max(cell.len());
        }
    }
    let mut text = String::new();
    for cells in std::iter::once(&headings).chain(&rows) {
        let mut line = String::new();
        for (cell, width) in cells.iter().zip(widths) {
            let _ = write!(line, "{cell:<width$}  ");
        }
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text.push('\n');
    text
}

fn row(probe: &Probe) -> Option<[String; 5]> {
    let place = probe.place.as_ref().ok()?;
    Some([
        probe.wanted.probe.to_owned(),
        probe.wanted.event.to_owned(),
        format!("{}+{:#x}", probe.wanted.function, place.offset),
        place.instruction.clone(),
        format!("{} per hit (emulated)", microseconds(SECONDS_PER_HIT)),
    ])
}

fn budget(budget: &Budget) -> String {
    let mut text = format!(
        "budget: {}% of the CPU time that the process uses pays for {} hits per second of each busy CPU, {} in any case\n",
        budget.share * 100.0,
        hits(budget.hits_per_cpu()),
        hits(Budget::least_hits())
    );
    if let Some((used, now)) = budget.used.zip(budget.hits_now()) {
        let _ = writeln!(
            text,
            "        it has used {used:.2} CPUs since it started, which pays for {} hits per second; rates go into windows above",
            hits(now)
        );
    }
    text
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "rates are positive, and the cast saturates")]
fn hits(per_second: f64) -> String {
    units::count(per_second.round() as u64)
}

fn microseconds(seconds: f64) -> String {
    format!("{} us", (seconds * 1e7).round() / 10.0)
}
