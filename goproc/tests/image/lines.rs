//! Files and lines, next to what the Go tools print.

use std::fmt::Write as _;

use deferd_goproc::image::DeferCall;

use crate::fixtures::{Fixture, Mode, fixtures, source};

/// One `CALL runtime.deferproc(SB)` as `go tool objdump` prints it.
struct Site {
    pc: u64,
    call: DeferCall,
    file: String,
    line: u32,
}

#[test]
fn every_defer_site_is_on_the_line_that_objdump_says() {
    for fixture in fixtures(&[Mode::Plain, Mode::Pie]) {
        let image = fixture.image();
        let sites = sites(&fixture);
        assert!(sites.len() >= 10, "{fixture}: {} sites", sites.len());
        for site in &sites {
            let call = image.defer_call_before(site.pc + 5);
            assert_eq!(call, Some(site.call), "{fixture}: {:#x}", site.pc);
            // A return address minus one is inside the call.
            let location = image.location(site.pc + 4).expect("a location");
            let file = location.file.rsplit('/').next();
            assert_eq!(file, Some(site.file.as_str()), "{fixture}: {location:?}");
            assert_eq!(location.line, site.line, "{fixture}: {location:?}");
        }
        let anywhere = image.text().filter(|&pc| image.defer_call_before(pc).is_some());
        assert_eq!(anywhere.count(), sites.len(), "{fixture}");
    }
}

#[test]
fn every_function_starts_on_the_line_that_addr2line_says() {
    for fixture in fixtures(&[Mode::Plain, Mode::Pie, Mode::Cgo]) {
        let image = fixture.image();
        let mut asked = String::new();
        let mut given = Vec::new();
        for function in image.functions() {
            // The entry, and an instruction that is likely inlined.
            for pc in [function.entry, u64::midpoint(function.entry, function.end)] {
                if let Some(location) = image.location(pc) {
                    writeln!(asked, "{pc:#x}").expect("a String grows");
                    let outermost = image.frames(pc).pop().expect("at least one frame");
                    given.push(format!("{}:{}", location.file, location.line));
                    let package = outermost.function.split('[').next().unwrap_or_default();
                    assert!(function.name.starts_with(package), "{fixture}: {outermost:?}");
                }
            }
        }
        assert!(given.len() > image.function_count(), "{fixture}");
        let answers = fixture.tool(&["addr2line"], &asked);
        let lines: Vec<&str> = answers.lines().skip(1).step_by(2).collect();
        assert_eq!(given, lines, "{fixture}");
    }
}

#[test]
fn inlined_frames_are_named_innermost_first() {
    let text = source("main.go");
    let line = |code: &str| {
        let found = text.lines().position(|line| line.contains(code));
        u32::try_from(found.expect(code) + 1).expect("few lines")
    };
    let expected = [
        ("main.inner", line("func inner")),
        ("main.outer", line("func outer")),
        ("main.registers", line("func registers")),
        ("main.inlinedSite", line("func inlinedSite")),
    ];
    let modes = [Mode::Plain, Mode::PieStripped, Mode::CgoPieStripped, Mode::StaticPie];
    for fixture in fixtures(&modes) {
        let image = fixture.image();
        let function = image.functions().find(|function| function.name == "main.inlinedSite");
        let function = function.expect("it is not inlined itself");
        let deepest = (function.entry..function.end).map(|pc| image.frames(pc));
        let deepest = deepest.max_by_key(Vec::len).expect("some code");
        let named: Vec<(&str, u32)> = deepest.iter().map(|frame| (frame.function.as_str(), frame.line)).collect();
        assert_eq!(named, expected, "{fixture}");
        assert!(deepest.iter().all(|frame| frame.file.ends_with("/main.go")), "{fixture}");
    }
}

#[test]
fn an_open_coded_defer_is_on_the_line_of_its_statement() {
    let text = source("main.go");
    let body = text.find("func openCoded").expect("it is there");
    let line = |code: &str| {
        let at = body + text[body..].find(code).expect(code);
        u32::try_from(text[..at].lines().count()).expect("few lines")
    };
    let expected = [line("defer f.Close()"), line("defer mu.Unlock()")];
    for fixture in fixtures(&[Mode::Plain, Mode::Stripped, Mode::PieStripped, Mode::StaticPie]) {
        let image = fixture.image();
        let functions: Vec<_> = image.functions().collect();
        let entry = |name: &str| functions.iter().find(|function| function.name == name).expect(name).entry;
        let statements = image.open_coded_statements(entry("main.openCoded"));
        let lines: Vec<u32> = statements.iter().flatten().map(|pc| image.location(*pc).expect("a location").line).collect();
        assert_eq!(lines, expected, "{fixture}");
        assert_eq!(image.open_coded_statements(entry("main.loopDefer")), [None; 8], "{fixture}");
    }
}

fn sites(fixture: &Fixture) -> Vec<Site> {
    let text = fixture.tool(&["objdump"], "");
    text.lines().filter_map(site).collect()
}

fn site(line: &str) -> Option<Site> {
    let call = match line.split("CALL ").nth(1)?.trim() {
        "runtime.deferproc(SB)" => DeferCall::Deferproc,
        "runtime.deferprocStack(SB)" => DeferCall::DeferprocStack,
        "runtime.deferprocat(SB)" => DeferCall::Deferprocat,
        "runtime.deferrangefunc(SB)" => DeferCall::Deferrangefunc,
        _ => return None,
    };
    let mut words = line.split_whitespace();
    let (file, number) = words.next()?.rsplit_once(':')?;
    let pc = words.next()?.strip_prefix("0x")?;
    Some(Site { pc: u64::from_str_radix(pc, 16).ok()?, call, file: file.to_owned(), line: number.parse().ok()? })
}
