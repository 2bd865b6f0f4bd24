//! Names and addresses of functions, next to the symbol table.

use std::collections::BTreeMap;

use crate::fixtures::{Fixture, Mode, fixtures};

/// Symbols that mark places; some releases have functions of these names too.
const MARKS: [&str; 4] = ["runtime.text", "runtime.etext", "go:textfipsstart", "go:textfipsend"];

#[test]
fn every_code_symbol_is_a_function_of_that_name() {
    for fixture in fixtures(&[Mode::Plain, Mode::Pie, Mode::Cgo, Mode::Unoptimised]) {
        let image = fixture.image();
        let symbols = code_symbols(&fixture);
        let mut compared = 0;
        for (&address, names) in &symbols {
            if !image.text().contains(&address) {
                continue;
            }
            if names.iter().all(|name| MARKS.contains(&name.as_str())) && !image.is_function_entry(address) {
                continue;
            }
            let function = image.function_at(address);
            let function = function.unwrap_or_else(|| panic!("{fixture}: {names:?}"));
            assert_eq!(function.entry, address, "{fixture}: {names:?}");
            // The compiler's middle dot is a full stop in the symbol table.
            assert!(names.contains(&function.name.replace('\u{b7}', ".")), "{fixture}: {names:?} {function:?}");
            assert!(image.is_function_entry(address), "{fixture}: {names:?}");
            assert!(!image.is_function_entry(address + 1), "{fixture}: {names:?}");
            compared += 1;
        }
        assert_eq!(compared, image.function_count(), "{fixture}");
        assert_eq!(image.functions().count(), compared, "{fixture}");
    }
}

#[test]
fn a_stripped_program_has_the_same_functions() {
    let pairs = [
        (Mode::Plain, Mode::Stripped),
        (Mode::Pie, Mode::PieStripped),
        (Mode::Cgo, Mode::CgoStripped),
        (Mode::CgoPie, Mode::CgoPieStripped),
    ];
    for (with, without) in pairs {
        for (with, without) in fixtures(&[with]).zip(fixtures(&[without])) {
            let (named, stripped) = (with.image(), without.image());
            assert!(without.mode.is_stripped());
            assert_eq!(named.text(), stripped.text(), "{with}");
            assert!(named.functions().eq(stripped.functions()), "{with}");
            for function in named.functions() {
                let pc = function.entry;
                assert_eq!(named.callee(pc), stripped.callee(pc), "{with}: {}", function.name);
                assert_eq!(named.frames(pc), stripped.frames(pc), "{with}: {}", function.name);
                assert_eq!(named.open_coded(pc), stripped.open_coded(pc), "{with}");
            }
        }
    }
}

/// Names by address.
fn code_symbols(fixture: &Fixture) -> BTreeMap<u64, Vec<String>> {
    let mut symbols: BTreeMap<u64, Vec<String>> = BTreeMap::new();
    for line in fixture.tool(&["nm"], "").lines() {
        let mut words = line.trim().splitn(3, ' ');
        let (Some(address), Some(kind), Some(name)) = (words.next(), words.next(), words.next()) else {
            continue;
        };
        if !matches!(kind, "T" | "t") {
            continue;
        }
        let address = u64::from_str_radix(address, 16).expect("an address");
        // The table does not tell the two calling conventions apart.
        let name = name.strip_suffix(".abi0").unwrap_or(name);
        symbols.entry(address).or_default().push(name.to_owned());
    }
    symbols
}
