//! A snapshot for people.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use deferd_config::one_line;
use deferd_goproc::snapshot::{Goroutines, Site, Snapshot};
use deferd_goproc::target::ProcessInfo;

use crate::units;

/// Most sites shown; the rest is counted. Whoever wants all takes `--json`.
const MAX_SITES: usize = 40;

const HEADINGS: [&str; 7] = ["PENDING", "MEMORY", "GOROUTINES", "MAX_CHAIN", "KIND", "SITE", "CALLEE"];
/// Columns of numbers, which stand at the right of their column.
const NUMBERS: usize = 4;

/// The whole answer: who, sites by pending, what is not known, what it cost.
pub(super) fn text(process: &ProcessInfo, snapshot: &Snapshot) -> String {
    let mut text = header(process, &snapshot.goroutines);
    text.push('\n');
    if snapshot.sites.is_empty() {
        text.push_str("no deferred calls are pending\n");
    } else {
        text.push_str(&sites(&snapshot.sites));
    }
    text.push('\n');
    text.push_str(&doubts(snapshot));
    text.push_str(&cost(snapshot));
    text
}

/// Who it is, in one line without its end.
pub(in crate::cli) fn identity(process: &ProcessInfo) -> String {
    let mut text = format!("process {}: {}", process.pid, one_line(&process.executable_path.to_string_lossy()));
    if process.executable_deleted {
        text.push_str(" (deleted or replaced since)");
    }
    let _ = write!(text, ", {}", one_line(&process.go_version));
    if let Some(module) = process.module_path.as_deref().filter(|module| !module.is_empty()) {
        let _ = write!(text, ", module {}", one_line(module));
    }
    text
}

fn header(process: &ProcessInfo, goroutines: &Goroutines) -> String {
    let mut text = identity(process);
    let states: BTreeMap<&str, u64> = goroutines.groups.iter().fold(BTreeMap::new(), |mut states, group| {
        let count = states.entry(group.state.name()).or_default();
        *count = group.count.saturating_add(*count);
        states
    });
    let states: Vec<String> = states.iter().map(|(state, count)| format!("{} {state}", units::count(*count))).collect();
    let _ = writeln!(
        text,
        "\ngoroutines: {} ({}), and {} of the runtime's own",
        units::count(goroutines.total),
        states.join(", "),
        units::count(goroutines.system)
    );
    text
}

fn sites(sites: &[Site]) -> String {
    let rows: Vec<[String; 7]> = sites.iter().take(MAX_SITES).map(row).collect();
    let headings = HEADINGS.map(str::to_owned);
    let mut widths = [0; 7];
    for cells in std::iter::once(&headings).chain(&rows) {
        for (width, cell) in widths.iter_mut().zip(cells) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    for cells in std::iter::once(&headings).chain(&rows) {
        let mut line = String::new();
        for (index, (cell, width)) in cells.iter().zip(widths).enumerate() {
            let _ = if index < NUMBERS { write!(line, "{cell:>width$}  ") } else { write!(line, "{cell:<width$}  ") };
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    let left_out = sites.len().saturating_sub(MAX_SITES);
    if left_out > 0 {
        let pending = sites.iter().skip(MAX_SITES).fold(0_u64, |sum, site| sum.saturating_add(site.pending));
        let _ = writeln!(text, "and {left_out} more sites with {} pending (--json lists all)", units::count(pending));
    }
    text
}

fn row(site: &Site) -> [String; 7] {
    let name = &site.name;
    [
        units::count(site.pending),
        units::bytes(site.memory_bytes),
        units::count(site.goroutines),
        units::count(site.max_chain),
        name.kind.name().to_owned(),
        format!("{} {}:{}", one_line(&name.function), one_line(short(&name.file)), name.line),
        one_line(&name.callee),
    ]
}

/// The last folder and the name: enough to recognise a file by, and rows stay rows.
fn short(file: &str) -> &str {
    let from = file.rmatch_indices('/').nth(1).map_or(0, |(at, slash)| at.saturating_add(slash.len()));
    file.get(from..).unwrap_or(file)
}

fn doubts(snapshot: &Snapshot) -> String {
    let unverified = &snapshot.unverified;
    let mut text = match unverified.goroutines {
        0 => "unverified: nothing".to_owned(),
        goroutines => {
            let reasons: Vec<String> =
                unverified.reasons.iter().map(|(doubt, count)| format!("{} {}", units::count(*count), doubt.name())).collect();
            format!(
                "unverified: {} goroutines are left out, about {} deferred calls ({})",
                units::count(goroutines),
                units::count(unverified.defers),
                reasons.join(", ")
            )
        }
    };
    let open_coded = snapshot.open_coded;
    if open_coded.skipped > 0 {
        let _ = write!(text, "; open-coded defers were not looked for in {} goroutines", units::count(open_coded.skipped));
    }
    if snapshot.truncated {
        text.push_str("; a limit was reached, so the numbers are lower bounds");
    }
    text.push('\n');
    text
}

fn cost(snapshot: &Snapshot) -> String {
    let cost = snapshot.cost;
    format!(
        "cost: {} CPU here, {} reads of {}; the process was not stopped\n",
        units::milliseconds(cost.cpu),
        units::count(cost.reads),
        units::bytes(cost.bytes)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_shown_with_its_last_folder() {
        assert_eq!(short("/srv/shop/cart/main.go"), "cart/main.go");
        assert_eq!(short("/main.go"), "/main.go");
        assert_eq!(short("main.go"), "main.go");
    }
}
