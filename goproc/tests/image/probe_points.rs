//! Places for breakpoints, next to what `go tool objdump` prints.

use std::os::unix::fs::FileExt as _;

use deferd_goproc::image::NoProbePoint;

use crate::fixtures::{Mode, fixtures};

/// What probes are placed on. All of it is in every program that opens files
/// and defers in a loop, as the fixture does.
const WANTED: [&str; 11] = [
    "runtime.gopanic",
    "runtime.recovery",
    "runtime.fatalpanic",
    "runtime.Goexit",
    "runtime.throw",
    "runtime.fatal",
    "runtime.deferreturn",
    "runtime.deferproc",
    "runtime.newdefer",
    "os.newFile",
    "os.(*file).close",
];

#[test]
fn every_function_has_a_push_behind_its_stack_check() {
    for fixture in fixtures(&Mode::ALL) {
        let image = fixture.image();
        let file = std::fs::File::open(&fixture.path).expect("the fixture");
        let points = image.probe_points(&WANTED);
        assert_eq!(points.len(), WANTED.len());
        for (name, point) in WANTED.iter().zip(points) {
            // Only the linker decides about these two.
            if matches!(*name, "runtime.Goexit" | "runtime.recovery") && point == Err(NoProbePoint::Absent) {
                assert!(image.functions().all(|function| function.name != *name), "{fixture}: {name}");
                continue;
            }
            let point = point.unwrap_or_else(|reason| panic!("{fixture}: {name}: {reason}"));
            assert_eq!((point.function.as_str(), point.instruction.as_str()), (*name, "push %rbp"), "{fixture}");
            assert!(image.is_function_entry(point.entry), "{fixture}: {point:x?}");
            assert_eq!(point.address, point.entry + point.offset, "{fixture}: {name}");
            // lea, cmp and the long form of jbe are 15 bytes.
            assert!(point.offset <= 15, "{fixture}: {point:x?}");
            // Nothing is pushed yet, so that the stack pointer is at the return address.
            assert_eq!(image.frame_size(point.address), Some(0), "{fixture}: {name}");
            let mut byte = [0];
            file.read_exact_at(&mut byte, point.file_offset).expect("inside the file");
            assert_eq!(byte, [0x55], "{fixture}: {point:x?}");
        }
    }
}

#[test]
fn the_disassembler_of_go_sees_the_same_instruction() {
    for fixture in fixtures(&[Mode::Plain, Mode::Pie]) {
        let image = fixture.image();
        let alone = image.probe_point("os.newFile");
        assert_eq!(image.probe_points(&["os.newFile", "os.newFile"]), [alone.clone(), alone], "{fixture}");
        let listing =
            fixture.tool(&["objdump", "-s", r"^(runtime\.(gopanic|deferproc|deferreturn|fatalpanic)|os\.newFile)$"], "");
        for name in ["runtime.gopanic", "runtime.deferproc", "runtime.deferreturn", "runtime.fatalpanic", "os.newFile"] {
            let point = image.probe_point(name).expect(name);
            let place = format!("{:#x}", point.address);
            let line = listing.lines().find(|line| line.split_whitespace().any(|word| word == place)).expect(name);
            assert!(line.contains("PUSHQ BP"), "{fixture}: {name}: {line}");
            let body = listing.split("\nTEXT ").find(|text| text.trim_start_matches("TEXT ").starts_with(&format!("{name}(SB)")));
            let before = body.expect(name).lines().skip(1).take_while(|line| !line.contains(&place)).count();
            assert!(before <= 3, "{fixture}: {name}: {before} instructions before the point");
        }
    }
}

#[test]
fn most_functions_of_a_program_could_be_probed() {
    for fixture in fixtures(&[Mode::Plain, Mode::PieStripped]) {
        let image = fixture.image();
        let names: Vec<String> =
            image.functions().filter(|f| !f.is_assembly && !f.is_wrapper).map(|f| f.name).take(600).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let points = image.probe_points(&names);
        let found = points.iter().flatten().count();
        assert!(found * 10 > names.len() * 6, "{fixture}: {found} of {}", names.len());
        for point in points.iter().flatten() {
            assert_eq!(image.frame_size(point.address), Some(0), "{fixture}: {point:x?}");
        }
    }
}

#[test]
fn a_function_that_is_not_there_is_absent() {
    let fixture = fixtures(&[Mode::Stripped]).next().expect("a fixture");
    let image = fixture.image();
    assert_eq!(image.probe_point("runtime.deferprocat_"), Err(NoProbePoint::Absent));
    assert_eq!(image.probe_point(""), Err(NoProbePoint::Absent));
    assert!(image.probe_points(&[]).is_empty());
}
