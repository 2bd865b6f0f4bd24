//! Types and messages, next to Go's own.

use deferd_goproc::panic::PanicValue;

use crate::program::{Panicked, runs};

/// What is shown where Go's own words would take a call, or memory that no
/// probe copies; and whether it says that something is missing.
const OTHERWISE: [(&str, &str, bool); 15] = [
    // Made by the runtime, and not copied.
    ("uncomparable", "runtime error: ...", true),
    ("joined", "&{errs:...}", true),
    ("path", "open /nonexistent/file: syscall.Errno(...)", true),
    ("number", "strconv.Atoi: parsing \"12x\": *errors.errorString(...)", true),
    ("struct", "{Code:5 Msg:\"made here\" Ratio:0.5 Ok:true err:nil next:nil}", false),
    ("pointer to struct", "&{Code:5 Msg:\"made here\" Ratio:0.5 Ok:true err:nil next:nil}", false),
    ("nil pointer", "<nil>", false),
    ("nested struct", "{Name:\"constant\" Point:{X:0 Y:-3} List:... Any:no such file or directory}", true),
    ("large struct", "{First:\"made here\" Rest:... Second:...}", true),
    ("direct struct", "{p:...}", true),
    ("pointer to int", "&5", false),
    ("function", "...", true),
    ("list", "...", true),
    ("fixed list", "...", true),
    ("json", "&{Value:{", true),
];

#[test]
fn every_value_has_the_type_and_the_words_that_go_gives_it() {
    for run in runs() {
        let mut seen = 0;
        for panicked in run.values() {
            let value = PanicValue::decode(&run.image, &panicked.captured);
            assert_eq!(value.type_name, panicked.type_name, "{}: {panicked:?}", run.name);
            let other = OTHERWISE.iter().find(|(name, ..)| *name == panicked.name);
            let (words, truncated) = other.map_or((panicked.says.as_str(), false), |(_, words, truncated)| (words, *truncated));
            if panicked.name == "json" {
                // What is in a reflect.Value is its own affair.
                assert!(value.message.starts_with(words), "{}: {value:?}", run.name);
            } else {
                assert_eq!(value.message, words, "{}: {}", run.name, panicked.name);
            }
            assert_eq!(value.truncated, truncated, "{}: {panicked:?}", run.name);
            seen += 1;
        }
        assert!(seen >= 60, "{}: {seen} values", run.name);
    }
}

#[test]
fn what_was_not_copied_is_said_to_be_missing() {
    let run = runs().next().expect("a fixture");
    let decode = |panicked: &Panicked| PanicValue::decode(&run.image, &panicked.captured);
    let mut values: Vec<Panicked> = run.values().collect();
    let mut find = |name: &str| {
        let at = values.iter().position(|value| value.name == name).expect(name);
        values.swap_remove(at)
    };

    let mut cut = find("long string");
    cut.captured.texts[0].2.truncate(7);
    assert_eq!(decode(&cut).message, "long lo...");
    assert!(decode(&cut).truncated);
    cut.captured.texts.clear();
    assert_eq!(decode(&cut).message, "...");

    let mut short = find("struct");
    short.captured.data_len = 20;
    assert_eq!(decode(&short).message, "{Code:5 Msg:... Ratio:... Ok:... err:... next:...}");
    short.captured.data_len = 0;
    assert_eq!(decode(&short).message, "{Code:... Msg:... Ratio:... Ok:... err:... next:...}");

    // What an error wraps can be copied as well.
    let mut path = find("path");
    let number = u64::from_le_bytes(path.captured.data[40..48].try_into().expect("8 bytes"));
    path.captured.texts.push((number, 8, 2_u64.to_le_bytes().to_vec()));
    assert_eq!((decode(&path).message, decode(&path).truncated), (path.says.clone(), false));

    let mut foreign = find("error");
    foreign.captured.type_address = run.image.text().start;
    assert_eq!((decode(&foreign).type_name.as_str(), decode(&foreign).message.as_str()), ("unknown", "..."));
    foreign.captured.type_address = 0;
    assert_eq!((decode(&foreign).type_name.as_str(), decode(&foreign).truncated), ("*runtime.PanicNilError", false));
}
