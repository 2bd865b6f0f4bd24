//! Values into words.

use crate::image::{Field, GoType, Shape};

use super::known::{self, Part};
use super::memory::Memory;
use super::{MAX_MESSAGE, text};

/// How deep errors in errors and structs in structs are followed.
const MAX_DEPTH: usize = 4;
/// Stands for what is not known.
const GAP: &str = "...";

/// A value: its type, and its first bytes as far as they are known.
#[derive(Clone, Copy)]
struct Value<'v> {
    kind: &'v GoType,
    bytes: &'v [u8],
}

/// Writes one message.
pub(super) struct Renderer<'m> {
    memory: &'m Memory<'m>,
    message: String,
    truncated: bool,
}

impl<'m> Renderer<'m> {
    pub(super) fn new(memory: &'m Memory<'m>) -> Self {
        Self { memory, message: String::new(), truncated: false }
    }

    /// The message, and whether something is missing in it.
    pub(super) fn finish(mut self) -> (String, bool) {
        if self.message.len() > MAX_MESSAGE {
            self.message.truncate(self.message.floor_char_boundary(MAX_MESSAGE - GAP.len()));
            self.message.push_str(GAP);
            self.truncated = true;
        }
        (self.message, self.truncated)
    }

    /// The value of a panic, whose interface has `word` beside its type.
    pub(super) fn panic(&mut self, kind: &GoType, word: u64) {
        self.interface(kind, word, MAX_DEPTH);
    }

    fn say(&mut self, words: &str) {
        // What is cut off in the end need not be written.
        if self.message.len() <= MAX_MESSAGE {
            self.message.push_str(words);
        }
    }

    fn gap(&mut self) {
        self.truncated = true;
        self.say(GAP);
    }

    /// A value in an interface, as an error or as its fields.
    fn interface(&mut self, kind: &GoType, word: u64, depth: usize) {
        let Some(depth) = depth.checked_sub(1) else {
            return self.gap();
        };
        let held = word.to_le_bytes();
        let known;
        let bytes: &[u8] = if kind.is_direct {
            &held
        } else {
            known = self.memory.bytes(word, kind.size);
            &known
        };
        let value = Value { kind, bytes };
        match &kind.shape {
            Shape::Pointer(_) if word == 0 => self.say("<nil>"),
            Shape::Pointer(Some(pointee)) => {
                let bytes = self.memory.bytes(word, pointee.size);
                let pointee = Value { kind: pointee, bytes: &bytes };
                if !self.error(&kind.name, pointee, depth) {
                    self.say("&");
                    self.plain(pointee, depth);
                }
            }
            _ if self.error(&kind.name, value, depth) => {}
            Shape::String => self.string(value, false),
            _ => self.plain(value, depth),
        }
    }

    /// Whether the words of the error are known; then they are written.
    fn error(&mut self, name: &str, value: Value<'_>, depth: usize) -> bool {
        match name {
            "runtime.boundsError" => return self.bounds_error(value),
            "runtime.errorString" if value.kind.shape == Shape::String => {
                self.say("runtime error: ");
                self.string(value, false);
                return true;
            }
            "*runtime.TypeAssertionError" => return self.type_assertion(value),
            "*runtime.PanicNilError" => self.say(known::panic_nil(self.memory.minor())),
            "syscall.Errno" => match value.word(0) {
                Some(number) => self.say(&text::errno(number)),
                None => self.gap(),
            },
            _ => match known::error(name) {
                Some(parts) => parts.iter().for_each(|part| self.part(*part, value, depth)),
                None => return false,
            },
        }
        true
    }

    fn part(&mut self, part: Part, value: Value<'_>, depth: usize) {
        match part {
            Part::Words(words) => self.say(words),
            Part::Unknown => self.gap(),
            Part::Field(index) | Part::Quoted(index) => match value.field(index) {
                Some(field) if field.kind.shape == Shape::String => self.string(field, matches!(part, Part::Quoted(_))),
                Some(field) => self.plain(field, depth),
                None => self.gap(),
            },
        }
    }

    /// A `runtime.boundsError`: index, bound, whether the index is signed,
    /// and what was out of bounds.
    fn bounds_error(&mut self, value: Value<'_>) -> bool {
        let (Some(x), Some(y)) = (value.word(0), value.word(8)) else {
            return false;
        };
        let (Some(signed), Some(code)) = (value.bytes.get(16), value.bytes.get(17)) else {
            return false;
        };
        let words = known::bounds(*code, x.cast_signed(), *signed != 0, y.cast_signed());
        if let Some(words) = &words {
            self.say(words);
        }
        words.is_some()
    }

    /// A `runtime.TypeAssertionError`: the interface's type, the value's, the
    /// wanted one, and the name of a method that is missing.
    fn type_assertion(&mut self, value: Value<'_>) -> bool {
        let mut words = [0, 8, 16].map(|at| value.word(at)).into_iter().flatten();
        let (Some(interface), Some(concrete), Some(asserted)) = (words.next(), words.next(), words.next()) else {
            return false;
        };
        let mut name = |address: u64| {
            let found = self.memory.go_type(address);
            self.truncated |= found.is_none();
            found.map_or_else(|| GAP.to_owned(), |found| found.name)
        };
        let interface = if interface == 0 { "interface".to_owned() } else { name(interface) };
        let wanted = name(asserted);
        if concrete == 0 {
            self.say(&format!("interface conversion: {interface} is nil, not {wanted}"));
            return true;
        }
        let concrete = name(concrete);
        if value.word(32).is_none_or(|len| len == 0) {
            self.say(&format!("interface conversion: {interface} is {concrete}, not {wanted}"));
            if concrete == wanted {
                self.say(" (types from different packages or scopes)");
            }
        } else {
            self.say(&format!("interface conversion: {concrete} is not {wanted}: missing method "));
            self.text(value.word(24), value.word(32), false);
        }
        true
    }

    fn string(&mut self, value: Value<'_>, quoted: bool) {
        self.text(value.word(0), value.word(8), quoted);
    }

    fn text(&mut self, address: Option<u64>, len: Option<u64>, quoted: bool) {
        let (Some(address), Some(len)) = (address, len) else {
            return self.gap();
        };
        let Some(found) = self.memory.text(address, len) else {
            return self.gap();
        };
        let words = text::lossy(&found.bytes, found.cut);
        self.say(&if quoted { format!("{words:?}") } else { words.into_owned() });
        if found.cut {
            self.gap();
        }
    }

    /// A value as `%+v` shows it, texts quoted.
    fn plain(&mut self, value: Value<'_>, depth: usize) {
        match &value.kind.shape {
            Shape::String => self.string(value, true),
            Shape::Struct { fields, more } => self.fields(value, fields, *more, depth),
            Shape::Interface { has_methods } => self.held(value, *has_methods, depth),
            Shape::Pointer(_) | Shape::Reference | Shape::Slice if value.word(0) == Some(0) => self.say("nil"),
            _ => match value.number() {
                Some(number) => self.say(&number),
                None => self.gap(),
            },
        }
    }

    fn fields(&mut self, value: Value<'_>, fields: &[Field], more: bool, depth: usize) {
        let Some(depth) = depth.checked_sub(1) else {
            return self.gap();
        };
        self.say("{");
        for (index, field) in fields.iter().enumerate() {
            if index > 0 {
                self.say(" ");
            }
            self.say(&format!("{}:", field.name));
            match value.field(index) {
                Some(value) => self.plain(value, depth),
                None => self.gap(),
            }
        }
        if more {
            self.say(if fields.is_empty() { "" } else { " " });
            self.gap();
        }
        self.say("}");
    }

    /// What a field that is an interface holds: the words of an error if all
    /// of it is known, else the type alone.
    fn held(&mut self, value: Value<'_>, has_methods: bool, depth: usize) {
        match (value.word(0), value.word(8)) {
            (Some(0), Some(_)) => self.say("nil"),
            (Some(table), Some(word)) => match self.memory.dynamic_type(table, has_methods) {
                Some(kind) => self.held_value(&kind, word, depth),
                None => self.gap(),
            },
            _ => self.gap(),
        }
    }

    fn held_value(&mut self, kind: &GoType, word: u64, depth: usize) {
        let mut inner = Self::new(self.memory);
        inner.interface(kind, word, depth);
        let (message, truncated) = inner.finish();
        if truncated {
            self.say(&format!("{}(", kind.name));
            self.gap();
            self.say(")");
        } else {
            self.say(&message);
        }
    }
}

impl<'v> Value<'v> {
    fn array<const N: usize>(&self, at: usize) -> Option<[u8; N]> {
        self.bytes.get(at..)?.first_chunk().copied()
    }

    fn word(&self, at: usize) -> Option<u64> {
        self.array(at).map(u64::from_le_bytes)
    }

    /// The field of a struct, with as many of its bytes as are known; `None`
    /// if the value is no struct, or has no such field.
    fn field(&self, index: usize) -> Option<Value<'v>> {
        let Shape::Struct { fields, .. } = &self.kind.shape else {
            return None;
        };
        let field = fields.get(index)?;
        let bytes = self.bytes.get(usize::try_from(field.offset).ok()?..).unwrap_or_default();
        let len = usize::try_from(field.kind.size).unwrap_or(usize::MAX).min(bytes.len());
        Some(Value { kind: &field.kind, bytes: bytes.get(..len)? })
    }

    /// A number or truth value; `None` for other kinds, or if its bytes are
    /// not known.
    fn number(&self) -> Option<String> {
        Some(match self.kind.shape {
            Shape::Bool => (self.bytes.first()? & 1 == 1).to_string(),
            Shape::Int(1) => self.array(0).map(i8::from_le_bytes)?.to_string(),
            Shape::Int(2) => self.array(0).map(i16::from_le_bytes)?.to_string(),
            Shape::Int(4) => self.array(0).map(i32::from_le_bytes)?.to_string(),
            Shape::Int(_) => self.array(0).map(i64::from_le_bytes)?.to_string(),
            Shape::Uint(1) => self.bytes.first()?.to_string(),
            Shape::Uint(2) => self.array(0).map(u16::from_le_bytes)?.to_string(),
            Shape::Uint(4) => self.array(0).map(u32::from_le_bytes)?.to_string(),
            Shape::Uint(_) => self.word(0)?.to_string(),
            Shape::Float(4) => text::float32(self.array(0).map(f32::from_le_bytes)?),
            Shape::Float(_) => text::float64(self.array(0).map(f64::from_le_bytes)?),
            Shape::Complex(8) => {
                let part = |at| self.array(at).map(f32::from_le_bytes).map(text::float32);
                complex(&part(0)?, &part(4)?)
            }
            Shape::Complex(_) => {
                let part = |at| self.array(at).map(f64::from_le_bytes).map(text::float64);
                complex(&part(0)?, &part(8)?)
            }
            _ => return None,
        })
    }
}

fn complex(real: &str, imaginary: &str) -> String {
    let sign = if imaginary.starts_with(['-', '+']) { "" } else { "+" };
    format!("({real}{sign}{imaginary}i)")
}
