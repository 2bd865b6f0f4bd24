//! Deferred closures and open-coded defers.

use std::collections::BTreeMap;

use deferd_goproc::image::{Callee, Function, Image};
use iced_x86::{Decoder, DecoderOptions, Mnemonic, OpKind, Register};

use crate::fixtures::{Fixture, Mode, fixtures};

const MODES: [Mode; 6] =
    [Mode::Plain, Mode::Stripped, Mode::PieStripped, Mode::CgoPieStripped, Mode::StaticPie, Mode::Unoptimised];

#[test]
fn wrappers_name_the_function_of_the_defer_statement() {
    let expected = [
        ("main.loopDefer", "main.hold"),
        ("main.loopFiles", "os.(*File).Close"),
        ("main.loopLocks", "sync.(*Mutex).Unlock"),
        ("main.stackDefer", "main.hold"),
        ("main.inlinedCallee", "main.done"),
        ("main.generic[go.shape.int]", "main.keep[...]"),
        ("main.parks", "main.hold"),
        ("main.loopChannels", "runtime.closechan"),
        ("main.loopEmbedded", "sync.(*RWMutex).RUnlock"),
    ];
    for fixture in fixtures(&MODES) {
        let image = fixture.image();
        let functions = by_name(&image);
        for (function, callee) in expected {
            let wrapper = wrapper(&fixture, &image, &functions, function);
            assert_eq!(wrapper.name, callee, "{fixture}: {function}");
            assert_eq!(wrapper.indirect, None, "{fixture}: {function}");
        }
    }
}

#[test]
fn a_call_through_an_interface_says_where_its_method_is_found() {
    for fixture in fixtures(&MODES) {
        let image = fixture.image();
        let callee = wrapper(&fixture, &image, &by_name(&image), "main.loopClosers");
        let call = callee.indirect.unwrap_or_else(|| panic!("{fixture}: {callee:?}"));
        // The first captured word is the itab, whose methods begin at 0x18.
        assert_eq!((call.capture, call.slot), (8, 0x18), "{fixture}");
        assert_eq!(callee.entry, None, "{fixture}");
        assert!(callee.name.starts_with("main.loopClosers."), "{fixture}: {callee:?}");
    }
}

#[test]
fn a_call_of_a_function_value_says_where_it_is_found() {
    for fixture in fixtures(&MODES) {
        let image = fixture.image();
        let callee = wrapper(&fixture, &image, &by_name(&image), "main.loopValues");
        let call = callee.indirect.unwrap_or_else(|| panic!("{fixture}: {callee:?}"));
        assert_eq!(call.slot, 0, "{fixture}");
        assert!(matches!(call.capture, 8 | 16), "{fixture}: {call:?}");
    }
}

#[test]
fn a_method_value_names_its_method() {
    for fixture in fixtures(&MODES) {
        let image = fixture.image();
        let functions = by_name(&image);
        let value = &functions["sync.(*Mutex).Unlock-fm"];
        let callee = image.callee(value.entry).expect("a function");
        assert_eq!(callee.name, "sync.(*Mutex).Unlock", "{fixture}");
        assert!(callee.wrapper, "{fixture}");
    }
}

#[test]
fn a_function_literal_is_its_own_callee() {
    for fixture in fixtures(&MODES) {
        let image = fixture.image();
        let literal = by_name(&image)["main.closures.func1"].entry;
        let callee = image.callee(literal).expect("a function");
        assert_eq!(callee.name, "main.closures.func1", "{fixture}");
        assert_eq!(callee.entry, Some(literal), "{fixture}");
        assert!(!callee.wrapper, "{fixture}");
        assert_eq!(image.callee(literal + 1), None, "{fixture}");
    }
}

#[test]
fn open_coded_defers_are_where_the_code_keeps_them() {
    for fixture in fixtures(&MODES) {
        let image = fixture.image();
        let functions = by_name(&image);
        assert_eq!(image.open_coded(functions["main.hold"].entry), None, "{fixture}");
        assert_eq!(image.open_coded(functions["main.loopDefer"].entry), None, "{fixture}");
        let function = &functions["main.openCoded"];
        let info = image.open_coded(function.entry);
        if fixture.mode == Mode::Unoptimised {
            // -N turns them off.
            assert_eq!(info, None, "{fixture}");
            continue;
        }
        let info = info.unwrap_or_else(|| panic!("{fixture}: none"));
        let code = frame_writes(&fixture, &image, function);
        let zeroed = code.iter().any(|write| write.zero_byte && write.below == info.bits_offset());
        assert!(zeroed, "{fixture}: {info:?} {code:?}");
        for index in 0..2 {
            let slot = info.slot_offset(index).expect("two defers");
            let stored = code.iter().any(|write| !write.zero_byte && write.below == slot);
            assert!(stored, "{fixture}: slot {index} of {info:?} in {code:?}");
        }
    }
}

#[test]
fn deferreturn_is_where_a_recovered_panic_resumes() {
    for fixture in fixtures(&[Mode::Plain, Mode::PieStripped]) {
        let image = fixture.image();
        let functions = by_name(&image);
        let runtime = functions["runtime.deferreturn"].entry;
        let function = &functions["main.loopDefer"];
        let pc = function.deferreturn.expect("it has defers");
        assert!(image.is_deferreturn_pc(pc), "{fixture}");
        assert!(!image.is_deferreturn_pc(pc + 1), "{fixture}");
        assert_eq!(functions["main.hold"].deferreturn, None, "{fixture}");
        let calls = decode(&fixture, &image, function);
        let target = calls.iter().find(|instruction| instruction.ip() >= pc);
        let target = target.map(iced_x86::Instruction::near_branch_target);
        assert_eq!(target, Some(runtime), "{fixture}");
    }
}

#[test]
fn only_the_runtimes_own_goroutines_are_system_goroutines() {
    for fixture in fixtures(&[Mode::Plain, Mode::PieStripped]) {
        let image = fixture.image();
        let functions = by_name(&image);
        let is_system = |name: &str| image.is_system_goroutine(functions[name].entry);
        assert!(is_system("runtime.forcegchelper"), "{fixture}");
        assert!(is_system("runtime.bgsweep"), "{fixture}");
        assert!(!is_system("runtime.main"), "{fixture}");
        assert!(!is_system("main.parks"), "{fixture}");
        assert!(!image.is_system_goroutine(0), "{fixture}");
        assert!(functions["runtime.goexit"].is_top_frame, "{fixture}");
        assert!(functions["runtime.goexit"].is_assembly, "{fixture}");
        assert!(!functions["main.parks"].is_top_frame, "{fixture}");
    }
}

fn by_name(image: &Image) -> BTreeMap<String, Function> {
    let functions = image.functions();
    functions.map(|function| (function.name.clone(), function)).collect()
}

/// What the first wrapper of a defer statement in `function` calls.
fn wrapper(fixture: &Fixture, image: &Image, functions: &BTreeMap<String, Function>, function: &str) -> Callee {
    let suffix = if fixture.toolchain.version.minor == 21 { "func" } else { "deferwrap" };
    let name = format!("{function}.{suffix}1");
    let wrapper = functions.get(&name).unwrap_or_else(|| panic!("{fixture}: {name}"));
    assert!(wrapper.is_wrapper, "{fixture}: {name}");
    let callee = image.callee(wrapper.entry).expect("a function");
    assert!(callee.wrapper, "{fixture}: {name}");
    callee
}

fn decode(fixture: &Fixture, image: &Image, function: &Function) -> Vec<iced_x86::Instruction> {
    let file = std::fs::read(&fixture.path).expect("the fixture");
    let at = crate::sectionless::file_offset(&file, function.entry);
    let len = usize::try_from(function.end - function.entry).expect("short");
    assert!(image.text().contains(&function.entry));
    Decoder::with_ip(64, &file[at..at + len], function.entry, DecoderOptions::NONE).into_iter().collect()
}

/// A store into the frame, by its distance below RBP.
#[derive(Debug)]
struct FrameWrite {
    below: u32,
    zero_byte: bool,
}

fn frame_writes(fixture: &Fixture, image: &Image, function: &Function) -> Vec<FrameWrite> {
    let instructions = decode(fixture, image, function);
    let stores = instructions
        .iter()
        .filter(|instruction| instruction.mnemonic() == Mnemonic::Mov && instruction.op0_kind() == OpKind::Memory);
    let in_frame = stores.filter_map(|store| {
        // The frame size includes the saved RBP, to which RBP points.
        let frame = image.frame_size(store.ip())?.checked_sub(8)?;
        let displacement = u32::try_from(store.memory_displacement64()).ok()?;
        let zero_byte = store.op1_kind() == OpKind::Immediate8 && store.immediate8() == 0;
        (store.memory_base() == Register::RSP && displacement < frame)
            .then(|| FrameWrite { below: frame - displacement, zero_byte })
    });
    in_frame.collect()
}
