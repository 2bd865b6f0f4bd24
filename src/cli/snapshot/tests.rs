//! What is shown of a snapshot, in both forms.

use std::time::{Duration, UNIX_EPOCH};

use deferd_goproc::layout::State;
use deferd_goproc::snapshot::{
    AtLeast, Chains, DeferKind, Doubt, GoroutineGroup, Goroutines, OpenCodedCoverage, RuntimeFigures, Site, SiteName, Snapshot,
    SnapshotCost, Unverified,
};
use deferd_goproc::target::{AttachError, Liveness, ProcessInfo, SnapshotError};

use super::{Refusal, json, table};
use crate::exit::Exit;

fn process() -> ProcessInfo {
    ProcessInfo {
        pid: 4711,
        vpid: Some(1),
        executable_name: "shop".into(),
        executable_path: "/usr/bin/shop".into(),
        executable_deleted: true,
        command_line: vec!["shop".into(), "-v".into()],
        uid: Some(1000),
        started: None,
        go_version: "go1.26.6".into(),
        module_path: Some("example.com/shop".into()),
        build_id: None,
        container_id: None,
        otel_service_name: None,
        otel_resource_attributes: None,
        host_name: "host".into(),
    }
}

fn site(function: &str, pending: u64) -> Site {
    let name = SiteName {
        function: function.into(),
        file: "/src/shop/cart/main.go".into(),
        line: 42,
        callee: "os.(*File).Close".into(),
        kind: DeferKind::Heap,
    };
    Site { name, pending, memory_bytes: pending * 64, goroutines: 1, max_chain: pending, sample_goids: vec![7] }
}

fn snapshot() -> Snapshot {
    let group = |state, wait_reason, count| GoroutineGroup { state, wait_reason, count };
    Snapshot {
        taken: UNIX_EPOCH + Duration::from_millis(1_500),
        sites: vec![site("main.leak", 41_203), site("main.other\n\u{1b}[2J", 1)],
        goroutines: Goroutines {
            total: 4,
            system: 5,
            groups: vec![group(State::Waiting, "select", 2), group(State::Waiting, "IO wait", 1), group(State::Running, "", 1)],
        },
        chains: Chains { max: 41_203, at_least: vec![AtLeast { length: 1, goroutines: 2 }], approximate: 0 },
        open_coded: OpenCodedCoverage { searched: 3, skipped: 1 },
        unverified: Unverified { goroutines: 1, defers: 12, reasons: vec![(Doubt::Moving, 1)] },
        runtime: RuntimeFigures::default(),
        cost: SnapshotCost { cpu: Duration::from_micros(420), wall: Duration::from_millis(1), reads: 23, bytes: 2048 },
        truncated: false,
    }
}

#[test]
fn the_table_says_who_where_how_much_and_what_is_not_known() {
    let expected = "\
process 4711: /usr/bin/shop (deleted or replaced since), go1.26.6, module example.com/shop
goroutines: 4 (1 running, 3 waiting), and 5 of the runtime's own

PENDING   MEMORY  GOROUTINES  MAX_CHAIN  KIND  SITE                                   CALLEE
 41,203  2.5 MiB           1     41,203  heap  main.leak cart/main.go:42              os.(*File).Close
      1     64 B           1          1  heap  main.other\\n\\u{1b}[2J cart/main.go:42  os.(*File).Close

unverified: 1 goroutines are left out, about 12 deferred calls (1 moving); open-coded defers were not looked for in 1 goroutines
cost: 0.42 ms CPU here, 23 reads of 2.0 KiB; the process was not stopped
";
    assert_eq!(table::text(&process(), &snapshot()), expected);
}

#[test]
fn sites_past_the_limit_are_summed() {
    let mut many = snapshot();
    many.sites = (0..43).map(|_| site("main.leak", 2)).collect();
    let text = table::text(&process(), &many);
    assert!(text.contains("and 3 more sites with 6 pending (--json lists all)"), "{text}");
}

#[test]
fn the_json_object_has_every_promised_key() {
    let text = json::text(&process(), &snapshot());
    let object: serde_json::Value = serde_json::from_str(&text).unwrap();
    let at = |pointer: &str| object.pointer(pointer).cloned().unwrap_or_else(|| panic!("{pointer} is missing in {text}"));
    assert_eq!(at("/process/pid"), 4711);
    assert_eq!(at("/process/executable"), "/usr/bin/shop");
    assert_eq!(at("/process/go_version"), "go1.26.6");
    assert_eq!(at("/goroutines/total"), 4);
    assert_eq!(at("/goroutines/by_state/waiting"), 3);
    assert_eq!(at("/goroutines/by_wait_reason/select"), 2);
    assert_eq!(at("/unverified/reasons/moving"), 1);
    assert_eq!(at("/cost/cpu_seconds"), 0.000_42);
    assert_eq!(at("/taken_unix_seconds"), 1.5);
    let keys: Vec<&String> = object.pointer("/sites/0").and_then(|site| site.as_object()).unwrap().keys().collect();
    let promised = ["function", "file", "line", "callee", "kind", "pending", "memory_bytes", "goroutines", "max_chain"];
    assert_eq!(keys, promised);
    assert_eq!(at("/sites/0/file"), "/src/shop/cart/main.go", "the whole path, unlike in the table");
    assert_eq!(at("/sites/1/function"), "main.other\n\u{1b}[2J", "JSON escapes by itself");
}

#[test]
fn every_reason_has_its_documented_exit_code() {
    let denied = AttachError::Denied { pid: 1, what: "reading the memory" };
    assert_eq!(Refusal::from(denied).exit(), Exit::Refused);
    assert_eq!(Refusal::from(AttachError::Gone { pid: 1 }).exit(), Exit::Gone);
    assert_eq!(Refusal::from(SnapshotError::Over { pid: 1, liveness: Liveness::Replaced }).exit(), Exit::Gone);
    let too_old = deferd_goproc::image::ImageError::GoTooOld { version: "go1.20.14".into() };
    assert_eq!(Refusal::from(AttachError::Unsupported { pid: 1, reason: too_old }).exit(), Exit::Unsupported);
    assert_eq!(Refusal::from(AttachError::NotReady { pid: 1 }).exit(), Exit::Unsupported);
}
