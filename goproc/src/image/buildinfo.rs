//! The Go version and module paths that the linker leaves in every program,
//! stripped or not (format: package `debug/buildinfo`).

use super::bytes::varint;
use super::elf::Elf;
use super::error::ImageError;
use super::search;
use super::source::Window;

const MAGIC: &[u8; 14] = b"\xff Go buildinf:";
/// The linker aligns the blob to this.
const ALIGN: usize = 16;
/// Magic, pointer size and flags are padded to this; the strings follow.
const HEADER: u64 = 32;
/// Flag of Go 1.18 and newer: the strings are in the blob itself.
const INLINE_STRINGS: u8 = 2;
/// Longest version text kept; vendors add a word or two to "go1.26.6".
const MAX_VERSION: u32 = 256;
/// How much of the module text is read: its path and main module come first,
/// the dependencies, which may be thousands, after them.
const MAX_MODULES: u32 = 8 << 10;

/// The first Go minor release whose layouts are known.
const OLDEST_MINOR: u8 = 21;
/// The last one.
const NEWEST_MINOR: u8 = 27;

/// A supported Go version: 1.21 to 1.27.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GoVersion {
    minor: u8,
    text: String,
}

impl GoVersion {
    /// The N of Go 1.N, between 21 and 27.
    pub fn minor(&self) -> u8 {
        self.minor
    }

    /// The version as the linker wrote it, with a vendor's or a branch's
    /// addition: `go1.26.6 X:jsonv2`, `go1.24.11 (Red Hat 1.24.11-1.el9)`.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Takes the minor release out of `text` and refuses what is not supported.
    fn parse(text: String) -> Result<Self, ImageError> {
        let Some(minor) = minor_of(&text) else {
            return Err(ImageError::UnknownVersion { text });
        };
        match u8::try_from(minor) {
            Ok(minor @ OLDEST_MINOR..=NEWEST_MINOR) => Ok(Self { minor, text }),
            Ok(0..OLDEST_MINOR) => Err(ImageError::GoTooOld { version: text }),
            _ => Err(ImageError::GoTooNew { version: text }),
        }
    }
}

/// The digits after "go1.", wherever a vendor put that.
fn minor_of(text: &str) -> Option<u32> {
    let (_, rest) = text.split_once("go1.")?;
    let digits = rest.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}

/// What the linker left.
#[derive(Debug)]
pub(super) struct BuildInfo {
    pub(super) version: GoVersion,
    /// Import path of package main.
    pub(super) main_path: Option<String>,
    /// Path of the main module.
    pub(super) module_path: Option<String>,
}

impl BuildInfo {
    pub(super) fn read(elf: &Elf) -> Result<Self, ImageError> {
        let blob = find(elf).ok_or(ImageError::NotGo)?;
        let header = blob.array::<16>(0).ok_or(ImageError::NotGo)?;
        let &[.., flags] = &header;
        if flags & INLINE_STRINGS == 0 {
            let version = "Go 1.17 or older".to_owned();
            return Err(ImageError::GoTooOld { version });
        }
        let (version, next) = string(&blob, HEADER, MAX_VERSION).ok_or(ImageError::NotGo)?;
        let version = GoVersion::parse(String::from_utf8_lossy(&version).into_owned())?;
        let modules = string(&blob, next, MAX_MODULES).map(|(text, _)| text);
        let modules = String::from_utf8_lossy(modules.as_deref().unwrap_or_default()).into_owned();
        Ok(Self { version, main_path: field(&modules, "path\t"), module_path: field(&modules, "mod\t") })
    }
}

/// The blob: in its section, else somewhere in writable memory, which is where
/// `debug/buildinfo` looks as well.
fn find(elf: &Elf) -> Option<Window> {
    let section = elf
        .section(".go.buildinfo")
        .and_then(|section| elf.section_bytes(section))
        .filter(|bytes| bytes.array::<14>(0).as_ref() == Some(MAGIC));
    section.or_else(|| {
        let places = search::find(elf, elf.writable(), ALIGN, |bytes| bytes.starts_with(MAGIC));
        elf.bytes_from(places.into_iter().next()?)
    })
}

/// A varint length and that many bytes, of which the first `limit` are taken;
/// and where the next one begins.
fn string(blob: &Window, at: u64, limit: u32) -> Option<(Vec<u8>, u64)> {
    let mut stream = blob.stream(at);
    let mut used = 0_u64;
    let len = varint(&mut || {
        used += 1;
        stream.next()
    })?;
    let start = at.checked_add(used)?;
    let text = blob.vec(start, u64::from(len.min(limit)))?;
    Some((text, start.checked_add(u64::from(len))?))
}

/// The first tab-separated word of the line that begins with `key`.
fn field(modules: &str, key: &str) -> Option<String> {
    // The markers are not text, so they may have been widened; lines are not.
    let value = modules.lines().enumerate().find_map(|(index, line)| match line.strip_prefix(key) {
        Some(value) => Some(value),
        None if index == 0 => line.split_once(key).map(|(_, value)| value),
        None => None,
    })?;
    let word = value.split('\t').next()?;
    (!word.is_empty()).then(|| word.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minor(text: &str) -> Result<u8, String> {
        GoVersion::parse(text.to_owned()).map(|version| version.minor()).map_err(|error| error.to_string())
    }

    #[test]
    fn vendor_and_branch_versions_keep_their_minor() {
        assert_eq!(minor("go1.21"), Ok(21));
        assert_eq!(minor("go1.26.6 X:jsonv2"), Ok(26));
        assert_eq!(minor("go1.24.11 (Red Hat 1.24.11-1.el9)"), Ok(24));
        assert_eq!(minor("go1.27-devel_0123abcd Thu Jan 1"), Ok(27));
        assert_eq!(minor("devel go1.22-0123abcd linux/amd64"), Ok(22));
    }

    #[test]
    fn unsupported_versions_say_which_side_they_are_on() {
        assert!(minor("go1.20.14").unwrap_err().contains("before Go 1.21"));
        assert!(minor("go1.28rc1").unwrap_err().contains("not guessed"));
        assert!(minor("go1.999").unwrap_err().contains("not guessed"));
        assert!(minor("go2.0").unwrap_err().contains("cannot tell"));
        assert!(minor("devel +abc").unwrap_err().contains("cannot tell"));
    }

    #[test]
    fn module_lines_are_found_behind_the_marker() {
        let text = "0123456789abcdefpath\texample.com/cmd/x\nmod\texample.com\tv1.2.3\th1:=\n";
        assert_eq!(field(text, "path\t").as_deref(), Some("example.com/cmd/x"));
        assert_eq!(field(text, "mod\t").as_deref(), Some("example.com"));
        assert_eq!(field(text, "dep\t"), None);
    }
}
