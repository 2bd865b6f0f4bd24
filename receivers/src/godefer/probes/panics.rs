//! Panics: from what the programs count and record to series and log records.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use deferd_bpf::{PanicCount, PanicRecord, Stage};
use deferd_goproc::image::{Image, Location, first_user_frame, package_of};
use deferd_goproc::panic::{Captured, MAX_DATA, PanicValue};
use deferd_pdata::build::EncodedAttributes;

use super::figures::PanicSeries;
use super::logs::LogEntry;
use super::panic_log::{Clock, Told, entry, stack_text, stage_name};
use super::remembered::Remembered;

/// Panics whose beginning is remembered until their end is told.
const MOST_OPEN: usize = 1024;

/// What is known of the panics of one process.
#[derive(Debug)]
pub(super) struct Book {
    image: Arc<Image>,
    bias: u64,
    /// Raised, and not ended as far as we know: by id.
    open: HashMap<u64, Told>,
    /// By the return addresses of the raise.
    places: Remembered<[u64; 4], Place>,
    /// By where the program goes on.
    resumes: Remembered<u64, String>,
}

/// A place in the source, as a key.
type Place = (String, String, u32);

impl Book {
    pub(super) fn new(image: Arc<Image>, bias: u64) -> Self {
        Self { image, bias, open: HashMap::new(), places: Remembered::default(), resumes: Remembered::default() }
    }

    /// The series of all counts.
    pub(super) fn series(&mut self, counts: &[PanicCount]) -> Vec<PanicSeries> {
        // Whether a raise is internal is known by its ends only, so that all of one place are internal or none.
        let mut internal: BTreeMap<Place, bool> = BTreeMap::new();
        for count in counts.iter().filter(|count| count.stage != Stage::Raised) {
            let place = self.place(&count.raised_at);
            let is_internal = count.stage == Stage::Recovered && self.is_internal(&place.0, count.resumes_at);
            internal.entry(place).and_modify(|all| *all &= is_internal).or_insert(is_internal);
        }
        let mut series: BTreeMap<(Place, &'static str, bool), u64> = BTreeMap::new();
        for count in counts {
            let place = self.place(&count.raised_at);
            let is_internal = match count.stage {
                Stage::Raised => internal.get(&place).copied().unwrap_or(false),
                Stage::Recovered => self.is_internal(&place.0, count.resumes_at),
                _ => false,
            };
            *series.entry((place, stage_name(count.stage), is_internal)).or_default() += count.count;
        }
        let entry = |(((function, file, line), stage, is_internal), count): ((Place, &'static str, bool), u64)| PanicSeries {
            stage,
            function,
            file,
            line,
            is_internal,
            count,
        };
        series.into_iter().map(entry).collect()
    }

    /// The first frame of the user's own code, else the innermost.
    fn place(&mut self, raised_at: &[u64; 4]) -> Place {
        let (image, bias) = (&self.image, self.bias);
        let find_out = || {
            let addresses: Vec<u64> = raised_at.iter().copied().filter(|pc| *pc != 0).collect();
            place_of(&stack(image, bias, &addresses))
        };
        self.places.of(*raised_at, find_out)
    }

    /// Recovered in the package that raised it, which is one of the standard library: control flow that no user sees.
    fn is_internal(&mut self, function: &str, resumes_at: u64) -> bool {
        let package = package_of(function);
        self.image.is_standard_library(&package) && package == package_of(&self.recovered_in(resumes_at))
    }

    /// The function whose deferred call recovered.
    fn recovered_in(&mut self, resumes_at: u64) -> String {
        let (image, bias) = (&self.image, self.bias);
        let find_out = || image.function_at(resumes_at.wrapping_sub(bias)).map(|function| function.name).unwrap_or_default();
        self.resumes.of(resumes_at, find_out)
    }

    /// Log records of what was told, in its order.
    pub(super) fn tell(&mut self, records: &[PanicRecord], resource: &Arc<EncodedAttributes>, message: bool) -> Vec<LogEntry> {
        let clock = Clock::now();
        // The end is mostly told together with the beginning, which then knows whether it was internal.
        let ends: HashMap<u64, u64> = records
            .iter()
            .filter(|record| record.stage == Stage::Recovered && record.id != 0)
            .map(|record| (record.id, record.resumes_at))
            .collect();
        let mut entries = Vec::with_capacity(records.len());
        for record in records {
            let mut told = self.told(record, message);
            told.is_internal = match record.stage {
                Stage::Raised => ends.get(&record.id).map(|resumes| self.is_internal(&told.place.0, *resumes)),
                Stage::Recovered => Some(self.is_internal(&told.place.0, record.resumes_at)),
                _ => Some(false),
            };
            if record.stage == Stage::Recovered {
                told.recovered_by = self.recovered_in(record.resumes_at);
            }
            entries.push(entry(record, &told, resource, &clock));
        }
        entries
    }

    /// Value, place and stack: of the record itself, else of the one of its beginning.
    fn told(&mut self, record: &PanicRecord, message: bool) -> Told {
        let frames = stack(&self.image, self.bias, &record.stack);
        let here = |value| {
            let (place, stack) = (place_of(&frames), stack_text(&frames));
            Told { value, place, stack, is_internal: None, recovered_by: String::new() }
        };
        match record.stage {
            Stage::Raised => {
                let told = here(self.value(record, message));
                if self.open.len() >= MOST_OPEN {
                    self.open.clear();
                }
                self.open.insert(record.id, told.clone());
                told
            }
            Stage::Goexit => here(no_value()),
            Stage::Throw => {
                let text = record.texts.first().map(|text| String::from_utf8_lossy(&text.bytes).into_owned());
                here(PanicValue { type_name: "fatal error".to_owned(), message: text.unwrap_or_default(), truncated: false })
            }
            Stage::Recovered | Stage::Replaced => self.open.remove(&record.id).unwrap_or_else(|| here(no_value())),
            // The runtime has replaced the value by its text; the type is that of the beginning.
            Stage::Fatal => {
                let printed = self.value(record, message);
                let Some(mut told) = self.open.remove(&record.id) else { return here(printed) };
                if !printed.message.is_empty() {
                    told.value.message = printed.message;
                }
                told
            }
        }
    }

    fn value(&self, record: &PanicRecord, message: bool) -> PanicValue {
        let (value_type, data_word) = record.value;
        let mut data = [0; MAX_DATA];
        for (to, from) in data.iter_mut().zip(&record.data) {
            *to = *from;
        }
        let captured = Captured {
            type_address: if value_type == 0 { 0 } else { value_type.wrapping_sub(self.bias) },
            data_word,
            data,
            data_len: record.data.len(),
            texts: record.texts.iter().map(|text| (text.address, text.length, text.bytes.clone())).collect(),
            load_bias: self.bias,
        };
        let mut value = PanicValue::decode(&self.image, &captured);
        if !message {
            value.message.clear();
        }
        value
    }
}

fn stack(image: &Image, bias: u64, addresses: &[u64]) -> Vec<Location> {
    let linked: Vec<u64> = addresses.iter().map(|pc| pc.wrapping_sub(bias)).collect();
    image.stack(&linked)
}

/// Of what is no panic, or whose beginning is not known.
pub(super) fn no_value() -> PanicValue {
    PanicValue { type_name: String::new(), message: String::new(), truncated: false }
}

fn place_of(frames: &[Location]) -> Place {
    match first_user_frame(frames).or(frames.first()) {
        Some(frame) => (frame.function.clone(), frame.file.clone(), frame.line),
        None => ("unknown".to_owned(), String::new(), 0),
    }
}
