//! Looking for a few names in a table of many.

use super::source::Window;

/// Where the wanted names begin in a table of NUL-terminated names: pairs of
/// (offset, index into `wanted`), ordered by offset. A name may occur again.
///
/// At most `MAX_FOUND` places are returned; a sound table has one per name.
pub(super) fn find(table: &Window, wanted: &[&str]) -> Vec<(u32, usize)> {
    const MAX_FOUND: usize = 256;
    let longest = wanted.iter().map(|name| name.len()).max().unwrap_or(0);
    // Almost every name of a program is refused by its beginning alone.
    let of_runtime = wanted.iter().all(|name| name.starts_with("runtime."));
    let first: &[u8] = if of_runtime { b"runtime." } else { b"" };
    let mut found: Vec<(u32, usize)> = Vec::new();
    // Chunks overlap by more than a wanted name with both its NULs.
    table.scan(longest + 2, |offset, chunk| {
        let mut at = 0;
        for name in chunk.split(|&byte| byte == 0) {
            // The first name of a later chunk may be the tail of a longer one.
            let whole = at > 0 || offset == 0;
            let ends = at + name.len() < chunk.len();
            if whole
                && ends
                && name.starts_with(first)
                && let Some(index) = wanted.iter().position(|want| want.as_bytes() == name)
                && let Some(place) = offset.checked_add(at as u64)
                && let Ok(place) = u32::try_from(place)
                && found.last().is_none_or(|&(last, _)| last < place)
            {
                found.push((place, index));
            }
            at += name.len() + 1;
        }
        (found.len() >= MAX_FOUND).then_some(())
    });
    found
}
