//! Errors whose words are known: those of the runtime, and those of the
//! standard library that are made of texts.

/// How `Error` puts the fields together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Words of its own.
    Words(&'static str),
    /// The text or error in the field of that number.
    Field(usize),
    /// The text in the field of that number, quoted.
    Quoted(usize),
    /// What takes a call to know.
    Unknown,
}

use Part::{Field, Quoted, Unknown, Words};

/// The parts of an error of that type, a struct or a pointer to one.
///
/// Only the package's last name is in a type's name, so a type of another
/// package may be met: its fields must be texts where these are, or nothing is
/// shown for them.
pub(super) fn error(type_name: &str) -> Option<&'static [Part]> {
    Some(match type_name {
        "*errors.errorString" | "*fmt.wrapError" | "*fmt.wrapErrors" | "*errors.fundamental" | "*json.SyntaxError" => &[Field(0)],
        "*errors.withMessage" => &[Field(1), Words(": "), Field(0)],
        "runtime.errorAddressString" => &[Words("runtime error: "), Field(0)],
        "*fs.PathError" => &[Field(0), Words(" "), Field(1), Words(": "), Field(2)],
        "*os.LinkError" => &[Field(0), Words(" "), Field(1), Words(" "), Field(2), Words(": "), Field(3)],
        "*os.SyscallError" => &[Field(0), Words(": "), Field(1)],
        "*strconv.NumError" => &[Words("strconv."), Field(0), Words(": parsing "), Quoted(1), Words(": "), Field(2)],
        "*net.OpError" => &[Field(0), Words(" "), Field(1), Words(" "), Unknown, Words(": "), Field(4)],
        "*url.Error" => &[Field(0), Words(" "), Quoted(1), Words(": "), Field(2)],
        "*exec.Error" => &[Words("exec: "), Quoted(0), Words(": "), Field(1)],
        "context.deadlineExceededError" => &[Words("context deadline exceeded")],
        _ => return None,
    })
}

/// What `Error` of `*runtime.PanicNilError` returns in Go 1.`minor`.
pub(super) fn panic_nil(minor: u8) -> &'static str {
    if minor >= 27 { "runtime error: panic called with nil argument" } else { "panic called with nil argument" }
}

/// What `Error` of `runtime.boundsError` returns (`boundsErrorFmts` of
/// `runtime/error.go`; the same in all supported versions). `x` is the index,
/// signed or not, `y` the length, capacity or other bound.
pub(super) fn bounds(code: u8, x: i64, signed: bool, y: i64) -> Option<String> {
    let negative = signed && x < 0;
    let x = if signed { x.to_string() } else { x.cast_unsigned().to_string() };
    // A negative index is out of any bounds, so the runtime does not name them.
    let bounded = match (code, negative) {
        (0, false) => format!("index out of range [{x}] with length {y}"),
        (0, true) => format!("index out of range [{x}]"),
        (1, false) => format!("slice bounds out of range [:{x}] with length {y}"),
        (2, false) => format!("slice bounds out of range [:{x}] with capacity {y}"),
        (1 | 2, true) => format!("slice bounds out of range [:{x}]"),
        (3, false) => format!("slice bounds out of range [{x}:{y}]"),
        (3, true) => format!("slice bounds out of range [{x}:]"),
        (4, false) => format!("slice bounds out of range [::{x}] with length {y}"),
        (5, false) => format!("slice bounds out of range [::{x}] with capacity {y}"),
        (4 | 5, true) => format!("slice bounds out of range [::{x}]"),
        (6, false) => format!("slice bounds out of range [:{x}:{y}]"),
        (6, true) => format!("slice bounds out of range [:{x}:]"),
        (7, false) => format!("slice bounds out of range [{x}:{y}:]"),
        (7, true) => format!("slice bounds out of range [{x}::]"),
        (8, false) => format!("cannot convert slice with length {y} to array or pointer to array with length {x}"),
        _ => return None,
    };
    Some(format!("runtime error: {bounded}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_of_the_runtime_has_its_words() {
        assert_eq!(bounds(0, 5, true, 1).unwrap(), "runtime error: index out of range [5] with length 1");
        assert_eq!(bounds(0, -1, true, 0).unwrap(), "runtime error: index out of range [-1]");
        assert_eq!(bounds(0, -1, false, 3).unwrap(), "runtime error: index out of range [18446744073709551615] with length 3");
        assert_eq!(bounds(7, 3, true, 2).unwrap(), "runtime error: slice bounds out of range [3:2:]");
        assert!((0..=8).all(|code| bounds(code, 1, true, 0).is_some()));
        assert!((0..=7).all(|code| bounds(code, -1, true, 0).is_some()));
        assert_eq!(bounds(8, -1, true, 0), None, "the runtime has no words for it");
        assert_eq!(bounds(9, 1, true, 0), None);
    }
}
