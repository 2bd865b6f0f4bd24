//! The key of a series: its origin and its attributes, in one piece of memory.
//!
//! The key is also where the attributes are kept, so that a series that is there already is found without allocating, and a million of
//! them cost one allocation each.

use deferd_pdata::any_value::AnyValue;
use deferd_pdata::attributes::Attributes;
use deferd_pdata::text::Text;

/// Bytes of the origin's id in front of the attributes.
const ID: usize = size_of::<u64>();

/// Writes keys, into memory that it uses again.
#[derive(Debug, Default)]
pub(super) struct KeyWriter(Vec<u8>);

impl KeyWriter {
    /// The key of a series. Sorted by attribute, the first of equal ones; values are compared as texts, which is what Prometheus sees.
    pub(super) fn write(&mut self, origin: u64, attributes: &Attributes<'_>) -> &[u8] {
        let mut sorted: Vec<(Text<'_>, AnyValue<'_>)> = attributes.iter().collect();
        sorted.sort_by_key(|(key, _)| *key);
        sorted.dedup_by_key(|(key, _)| *key);
        self.0.clear();
        self.0.extend_from_slice(&origin.to_le_bytes());
        for (key, value) in sorted {
            self.text(&key.to_str_lossy());
            self.text(&value.to_text());
        }
        &self.0
    }

    fn text(&mut self, text: &str) {
        self.0.extend_from_slice(&text.len().to_le_bytes());
        self.0.extend_from_slice(text.as_bytes());
    }
}

/// The attributes in a key, sorted.
pub(super) fn attributes(key: &[u8]) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = key.get(ID..).unwrap_or_default();
    std::iter::from_fn(move || Some((text(&mut rest)?, text(&mut rest)?)))
}

fn text<'a>(rest: &mut &'a [u8]) -> Option<&'a str> {
    let (length, tail) = rest.split_first_chunk()?;
    let (text, tail) = tail.split_at_checked(usize::from_le_bytes(*length))?;
    *rest = tail;
    std::str::from_utf8(text).ok()
}

#[cfg(test)]
mod tests {
    use deferd_pdata::build::EncodedAttributes;

    use super::*;

    #[test]
    fn attributes_come_back_sorted_and_unique() {
        let set = EncodedAttributes::new(&[("b", 2.into()), ("a", "x".into()), ("b", 3.into())]);
        let mut writer = KeyWriter::default();
        let key = writer.write(7, &set.view()).to_vec();
        assert_eq!(attributes(&key).collect::<Vec<_>>(), [("a", "x"), ("b", "2")]);
        let same = EncodedAttributes::new(&[("a", "x".into()), ("b", "2".into())]);
        assert_eq!(writer.write(7, &same.view()), key);
        assert_ne!(writer.write(8, &same.view()), key);
    }
}
