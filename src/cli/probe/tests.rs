//! What is shown of a plan, in both forms.

use deferd_goproc::image::{NoProbePoint, ProbePoint};
use deferd_goproc::target::ProcessInfo;
use deferd_receivers::godefer::places::PROBED;

use super::plan::{Budget, Plan, Probe};
use super::{json, table};

fn process() -> ProcessInfo {
    ProcessInfo {
        pid: 4711,
        vpid: None,
        executable_name: "shop".into(),
        executable_path: "/usr/bin/shop".into(),
        executable_deleted: false,
        command_line: Vec::new(),
        uid: None,
        started: None,
        go_version: "go1.26.6".into(),
        module_path: None,
        build_id: None,
        container_id: None,
        otel_service_name: None,
        otel_resource_attributes: None,
        host_name: "host".into(),
    }
}

fn plan() -> Plan {
    let place = ProbePoint {
        function: "runtime.gopanic".into(),
        entry: 0x40_1000,
        address: 0x40_100f,
        offset: 0xf,
        file_offset: 0x100f,
        instruction: "push %rbp".into(),
    };
    let stepped = NoProbePoint::NotEmulated { entry: 0x40_2000, instruction: "sub $0x18, %rsp".into() };
    let wanted = |function| PROBED.into_iter().find(|wanted| wanted.function == function).unwrap();
    let probe = |function, place| Probe { wanted: wanted(function), place };
    Plan {
        probes: vec![
            probe("runtime.gopanic", Ok(place)),
            probe("runtime.deferreturn", Err(NoProbePoint::Absent)),
            probe("os.newFile", Err(stepped)),
        ],
        budget: Budget { share: 0.01, used: Some(0.25) },
    }
}

#[test]
fn the_table_says_what_would_stand_where_and_what_could_not() {
    let expected = "\
process 4711: /usr/bin/shop, go1.26.6
no probe was placed; these would be:

PROBE   EVENT         PLACE                INSTRUCTION  COST
panics  panic raised  runtime.gopanic+0xf  push %rbp    0.5 us per hit (emulated)

not placed: runtime.deferreturn (rates, return with defers): not in the program: nothing calls it, so that the linker left it out, or this release of Go has no such function
not placed: os.newFile (files, file opened): no place for a cheap breakpoint: the kernel would have to single-step `sub $0x18, %rsp` in the function at 0x402000
timer: no breakpoint; 99 samples per second of each CPU, 1 us each
budget: 1% of the CPU time that the process uses pays for 20,000 hits per second of each busy CPU, 2,000 in any case
        it has used 0.25 CPUs since it started, which pays for 5,000 hits per second; rates go into windows above
";
    assert_eq!(table::text(&process(), &plan()), expected);
}

#[test]
fn an_idle_process_is_granted_the_least_budget() {
    let budget = |share, used| Budget { share, used }.hits_now();
    assert_eq!(budget(0.01, Some(0.0)), Some(2_000.0));
    assert_eq!(budget(0.01, Some(4.0)), Some(80_000.0));
    assert_eq!(budget(0.01, None), None);
}

#[test]
fn the_json_object_has_every_promised_key() {
    let object: serde_json::Value = serde_json::from_str(&json::text(&process(), &plan())).unwrap();
    let at = |pointer: &str| object.pointer(pointer).cloned().unwrap_or_else(|| panic!("{pointer} is missing"));
    assert_eq!(at("/process/pid"), 4711);
    assert_eq!(at("/placed"), false);
    let first =
        [("offset", 15.into()), ("file_offset", 0x100f.into()), ("emulated", true.into()), ("reason", serde_json::Value::Null)];
    for (key, value) in first {
        assert_eq!(at(&format!("/probes/0/{key}")), value, "{key}");
    }
    assert_eq!(at("/probes/0/seconds_per_hit"), 0.5e-6);
    assert_eq!((at("/probes/1/emulated"), at("/probes/1/address")), (serde_json::Value::Null, serde_json::Value::Null));
    assert!(at("/probes/1/reason").as_str().unwrap().starts_with("not in the program"));
    assert_eq!(at("/probes/2/emulated"), false);
    assert_eq!(at("/budget/hits_per_second_of_each_cpu"), 20_000.0);
    assert_eq!(at("/budget/hits_per_second_now"), 5_000.0);
    assert_eq!(at("/timer/samples_per_second"), 99);
}
