//! What a panic's value means: from the few bytes that a probe copied to the
//! type and the message that the program would print.
//!
//! Nothing is called in the process, which may be gone, and nothing more is
//! read of it. The type comes from the executable. What a value refers to was
//! either copied with it or is a constant of the executable; everything else
//! is shown as `...`, never guessed. So an `Error` method of the program's own
//! does not run: of such a value the fields are shown.
//!
//! Decoding costs a few reads of the file (tens of microseconds), in a
//! position independent program of the system's linker a walk through its
//! relocations (milliseconds): callers that meet one type often keep it
//! ([`Image::go_type`]) and use [`PanicValue::of`].

mod known;
mod memory;
mod render;
mod text;

use crate::image::{GoType, Image};
use memory::Memory;
use render::Renderer;

/// Bytes of a value that a probe copies.
pub const MAX_DATA: usize = 64;
/// Longest message that is made, in bytes; longer ones are cut.
pub const MAX_MESSAGE: usize = 4096;

/// What a probe copied of the argument of `runtime.gopanic`.
#[derive(Clone, Debug)]
pub struct Captured {
    /// First word of the interface: link-time address of the type's
    /// description, the load bias subtracted. 0: `panic(nil)`, of which the
    /// runtime then makes an error, unless `GODEBUG=panicnil=1` says not to.
    pub type_address: u64,
    /// Second word of the interface, as it was in the process.
    pub data_word: u64,
    /// What was at `data_word`.
    pub data: [u8; MAX_DATA],
    /// How much of `data` was read; 0 if nothing.
    pub data_len: usize,
    /// Strings: the address of the bytes in the process, the whole length, and
    /// the first bytes, which may be none. Other bytes that were copied, such
    /// as of an error in an error, may be among them.
    pub texts: Vec<(u64, u64, Vec<u8>)>,
    /// What the process adds to link-time addresses.
    pub load_bias: u64,
}

/// A panic's value, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PanicValue {
    /// As `%T` prints it: `string`, `main.Code`, `*fmt.wrapError`. `unknown`
    /// if the type is not in the executable.
    pub type_name: String,
    /// A string as it is; for errors of the runtime and the commonest of the
    /// standard library what `Error` returns; else a number, or the fields as
    /// `{Code:5 Msg:"x"}`. `...` stands for what is not known.
    pub message: String,
    /// Whether `message` leaves anything out.
    pub truncated: bool,
}

impl PanicValue {
    /// Decodes a value, asking the executable for its type.
    pub fn decode(image: &Image, captured: &Captured) -> Self {
        match captured.type_address {
            0 => {
                let message = known::panic_nil(image.version().minor()).to_owned();
                Self { type_name: "*runtime.PanicNilError".to_owned(), message, truncated: false }
            }
            address => match image.go_type(address) {
                Some(kind) => Self::of(image, &kind, captured),
                None => Self { type_name: "unknown".to_owned(), message: "...".to_owned(), truncated: true },
            },
        }
    }

    /// Decodes a value whose type was asked for before.
    pub fn of(image: &Image, kind: &GoType, captured: &Captured) -> Self {
        let memory = Memory::new(image, captured);
        let mut renderer = Renderer::new(&memory);
        renderer.panic(kind, captured.data_word);
        let (message, truncated) = renderer.finish();
        Self { type_name: kind.name.clone(), message, truncated }
    }
}
