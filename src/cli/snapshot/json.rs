//! A snapshot for programs: one JSON object. Keys are only ever added.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use deferd_goproc::snapshot::{Chains, Goroutines, OpenCodedCoverage, Site, Snapshot, SnapshotCost, Unverified};
use deferd_goproc::target::ProcessInfo;
use serde_json::{Value, json};

/// The object, indented, with a line end.
pub(super) fn text(process: &ProcessInfo, snapshot: &Snapshot) -> String {
    format!("{:#}\n", object(process, snapshot))
}

/// Times are seconds since 1970; what is not known is null.
fn object(info: &ProcessInfo, snapshot: &Snapshot) -> Value {
    json!({
        "process": process(info),
        "taken_unix_seconds": unix_seconds(snapshot.taken),
        "goroutines": goroutines(&snapshot.goroutines),
        "chains": chains(&snapshot.chains),
        "sites": snapshot.sites.iter().map(site).collect::<Vec<_>>(),
        "open_coded": open_coded(snapshot.open_coded),
        "unverified": unverified(&snapshot.unverified),
        "truncated": snapshot.truncated,
        "cost": cost(snapshot.cost),
    })
}

/// Who it is, in every object about a process.
pub(in crate::cli) fn process(info: &ProcessInfo) -> Value {
    json!({
        "pid": info.pid,
        "vpid": info.vpid,
        "executable": info.executable_path.to_string_lossy(),
        "executable_name": info.executable_name,
        "executable_deleted": info.executable_deleted,
        "command_line": info.command_line,
        "uid": info.uid,
        "started_unix_seconds": info.started.and_then(unix_seconds),
        "go_version": info.go_version,
        "module_path": info.module_path,
        "build_id": info.build_id,
        "container_id": info.container_id,
        "service_name": info.otel_service_name,
        "host_name": info.host_name,
    })
}

/// `by_state` sums up to `total`, `by_wait_reason` to those that wait; `system` are the runtime's own, in neither.
fn goroutines(goroutines: &Goroutines) -> Value {
    let mut states: BTreeMap<&str, u64> = BTreeMap::new();
    let mut reasons: BTreeMap<&str, u64> = BTreeMap::new();
    for group in &goroutines.groups {
        let add = |count: &mut u64| *count = count.saturating_add(group.count);
        add(states.entry(group.state.name()).or_default());
        if !group.wait_reason.is_empty() {
            add(reasons.entry(group.wait_reason).or_default());
        }
    }
    json!({ "total": goroutines.total, "system": goroutines.system, "by_state": states, "by_wait_reason": reasons })
}

fn chains(chains: &Chains) -> Value {
    let at_least: Vec<Value> =
        chains.at_least.iter().map(|at| json!({ "length": at.length, "goroutines": at.goroutines })).collect();
    json!({ "max": chains.max, "at_least": at_least, "approximate": chains.approximate })
}

fn site(site: &Site) -> Value {
    json!({
        "function": site.name.function,
        "file": site.name.file,
        "line": site.name.line,
        "callee": site.name.callee,
        "kind": site.name.kind.name(),
        "pending": site.pending,
        "memory_bytes": site.memory_bytes,
        "goroutines": site.goroutines,
        "max_chain": site.max_chain,
    })
}

fn open_coded(coverage: OpenCodedCoverage) -> Value {
    json!({ "goroutines_searched": coverage.searched, "goroutines_skipped": coverage.skipped })
}

fn unverified(unverified: &Unverified) -> Value {
    let reasons: BTreeMap<&str, u64> = unverified.reasons.iter().map(|(doubt, count)| (doubt.name(), *count)).collect();
    json!({ "goroutines": unverified.goroutines, "defers": unverified.defers, "reasons": reasons })
}

fn cost(cost: SnapshotCost) -> Value {
    json!({
        "cpu_seconds": cost.cpu.as_secs_f64(),
        "wall_seconds": cost.wall.as_secs_f64(),
        "reads": cost.reads,
        "bytes": cost.bytes,
    })
}

fn unix_seconds(time: SystemTime) -> Option<f64> {
    time.duration_since(UNIX_EPOCH).ok().map(|since| since.as_secs_f64())
}
