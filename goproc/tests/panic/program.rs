//! The fixture, run once per binary.

use std::process::Command;

use deferd_fixtures::{Mode, binaries, toolchains};
use deferd_goproc::image::Image;
use deferd_goproc::panic::{Captured, MAX_DATA};
use serde_json::Value;

/// One form of each way in which pointers get into the file.
const MODES: [Mode; 5] = [Mode::Plain, Mode::PieStripped, Mode::CgoPieStripped, Mode::StaticPie, Mode::Unoptimised];

/// What one binary printed.
pub(crate) struct Run {
    /// Version and mode.
    pub(crate) name: String,
    pub(crate) image: Image,
    pub(crate) load_bias: u64,
    lines: Vec<Value>,
}

/// Every release in every mode of [`MODES`].
pub(crate) fn runs() -> impl Iterator<Item = Run> {
    let built = binaries("values", toolchains(), &MODES);
    built.into_iter().map(|(toolchain, mode, path)| {
        let name = format!("{} {mode}", toolchain.version);
        // The old way of storing nil, which a main module older than 1.21 has too.
        let output = Command::new(&path).env_remove("GODEBUG").output().expect("the fixture runs");
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).expect("text");
        let mut lines = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
        let image = Image::read(&std::fs::File::open(&path).expect("a fixture")).expect("an image");
        let main = image.functions().find(|function| function.name == "main.main").expect("main.main");
        let start = lines.next().expect("where it is");
        let load_bias = start["main"].as_u64().expect("an address").wrapping_sub(main.entry);
        assert_eq!(load_bias != 0, image.is_pie(), "{name}");
        let lines = lines.collect();
        Run { name, image, load_bias, lines }
    })
}

impl Run {
    /// The values that it panicked with.
    pub(crate) fn values(&self) -> impl Iterator<Item = Panicked> {
        let lines = self.lines.iter().filter(|line| line.get("name").is_some());
        lines.map(|line| Panicked::new(line, self.load_bias))
    }

    /// Name, link-time return addresses and Go's own text of each stack.
    pub(crate) fn stacks(&self) -> impl Iterator<Item = (&str, Vec<u64>, &str)> {
        self.lines.iter().filter_map(|line| {
            let pcs = line.get("pcs")?.as_array()?.iter().map(|pc| number(pc).wrapping_sub(self.load_bias));
            Some((line["stack"].as_str()?, pcs.collect(), line["text"].as_str()?))
        })
    }
}

/// A value, as a probe would have copied it.
#[derive(Debug)]
pub(crate) struct Panicked {
    pub(crate) name: String,
    pub(crate) captured: Captured,
    /// `%T`.
    pub(crate) type_name: String,
    /// What `Error` returns, or `%v`.
    pub(crate) says: String,
}

impl Panicked {
    fn new(line: &Value, load_bias: u64) -> Self {
        let string = |key: &str| line[key].as_str().expect(key).to_owned();
        let bytes = line["data"].as_array().map(Vec::as_slice).unwrap_or_default();
        let mut data = [0; MAX_DATA];
        for (place, byte) in data.iter_mut().zip(bytes) {
            *place = u8::try_from(number(byte)).expect("a byte");
        }
        let texts = line["texts"].as_array().map(Vec::as_slice).unwrap_or_default();
        let text = |text: &Value| (number(&text["address"]), number(&text["len"]), text["text"].as_str().expect("text").into());
        let captured = Captured {
            type_address: number(&line["type"]).wrapping_sub(load_bias),
            data_word: number(&line["word"]),
            data,
            data_len: bytes.len(),
            texts: texts.iter().map(text).collect(),
            load_bias,
        };
        Self { name: string("name"), captured, type_name: string("type_name"), says: string("says") }
    }
}

fn number(value: &Value) -> u64 {
    value.as_u64().expect("a number")
}
