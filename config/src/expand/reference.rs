//! Finding `${...}` in a text.

use std::ops::Range;

/// Finds the first reference that holds no other one and is not escaped.
pub(super) fn find_reference(text: &str) -> Option<Range<usize>> {
    let mut from = 0;
    loop {
        let rest = text.get(from..)?;
        let close = rest.find('}')?;
        let end = from + close + 1;
        if let Some(open) = rest.get(..close)?.rfind("${") {
            let start = from + open;
            let dollars = text.get(..start)?.bytes().rev().take_while(|byte| *byte == b'$').count();
            if dollars % 2 == 0 {
                return Some(start..end);
            }
        }
        from = end;
    }
}

/// Returns what stands between `${` and `}`.
pub(super) fn inside<'a>(text: &'a str, range: &Range<usize>) -> &'a str {
    text.get(range.start + 2..range.end - 1).unwrap_or_default()
}

/// Makes one dollar sign of two.
pub(super) fn unescape(text: &str) -> String {
    text.replace("$$", "$")
}

/// Says whether a text can be the name of a variable.
pub(super) fn is_variable(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}
