//! The plan for programs: one JSON object. Keys are only ever added.

use deferd_goproc::image::NoProbePoint;
use deferd_goproc::target::ProcessInfo;
use serde_json::{Value, json};

use super::plan::{Budget, Plan, Probe, SECONDS_PER_HIT, SECONDS_PER_SAMPLE, samples_per_second};
use crate::cli::snapshot::json::process;

/// The object, indented, with a line end. Addresses are those of the file,
/// before the program is loaded; what is not known is null.
pub(super) fn text(info: &ProcessInfo, plan: &Plan) -> String {
    let budget = &plan.budget;
    let object = json!({
        "process": process(info),
        "placed": false,
        "probes": plan.probes.iter().map(probe).collect::<Vec<_>>(),
        "timer": { "samples_per_second": samples_per_second(), "seconds_per_sample": SECONDS_PER_SAMPLE },
        "budget": {
            "max_target_overhead": budget.share,
            "cpus_used": budget.used,
            "hits_per_second_of_each_cpu": budget.hits_per_cpu(),
            "hits_per_second_at_least": Budget::least_hits(),
            "hits_per_second_now": budget.hits_now(),
        },
    });
    format!("{object:#}\n")
}

fn probe(probe: &Probe) -> Value {
    let place = probe.place.as_ref().ok();
    let reason = probe.place.as_ref().err();
    json!({
        "probe": probe.wanted.probe,
        "event": probe.wanted.event,
        "function": probe.wanted.function,
        "entry": place.map(|place| place.entry),
        "offset": place.map(|place| place.offset),
        "address": place.map(|place| place.address),
        "file_offset": place.map(|place| place.file_offset),
        "instruction": place.map(|place| place.instruction.as_str()),
        "emulated": match reason {
            None => Some(true),
            Some(NoProbePoint::NotEmulated { .. }) => Some(false),
            Some(_) => None,
        },
        "seconds_per_hit": place.map(|_| SECONDS_PER_HIT),
        "reason": reason.map(ToString::to_string),
    })
}
