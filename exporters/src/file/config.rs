//! Keys of the file exporter: the Collector's, as far as they are there.

use std::path::PathBuf;

use deferd_component::{Issues, Validate};
use deferd_config::Duration;
use schemars::JsonSchema;
use serde::Deserialize;

/// The configuration of one file exporter.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// File to write to, relative to the working directory. Required.
    pub path: PathBuf,
    /// Keep what is in the file, rather than begin it anew with the first line that is written.
    pub append: bool,
    /// How data is written.
    pub format: Format,
    /// Without effect: every line is handed to the kernel at once.
    pub flush_interval: Duration,
    /// Create the directories that lead to the file.
    pub create_directory: bool,
    /// When a new file is begun. Absent: never.
    pub rotation: Option<Rotation>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            path: PathBuf::new(),
            append: false,
            format: Format::Json,
            flush_interval: Duration::from_secs(1),
            create_directory: false,
            rotation: None,
        }
    }
}

/// How data is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
pub enum Format {
    /// A line of OTLP in JSON per batch.
    Json,
}

impl TryFrom<String> for Format {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        if name == "json" { Ok(Self::Json) } else { Err(format!("format type is not supported: {name}, must be json")) }
    }
}

/// When a new file is begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Rotation {
    /// Largest size of a file in MiB. A single longer line has a file of its own.
    pub max_megabytes: u64,
    /// Former files that are kept; 0 keeps all.
    pub max_backups: usize,
}

impl Default for Rotation {
    fn default() -> Self {
        Self { max_megabytes: 100, max_backups: 100 }
    }
}

impl Rotation {
    /// Largest size of a file in bytes.
    pub(super) fn max_bytes(&self) -> u64 {
        self.max_megabytes.saturating_mul(1 << 20)
    }
}

impl Validate for Config {
    fn validate(&self, issues: &mut Issues) {
        if self.path.as_os_str().is_empty() {
            issues.push("path", "path must be non-empty", "the path of a file");
        }
        if self.append && self.rotation.is_some() {
            let text = "append and rotation enabled at the same time is not supported";
            issues.push("rotation", text, "rotation alone appends to a file that is there");
        }
        if self.rotation.is_some_and(|rotation| rotation.max_megabytes == 0) {
            issues.push("rotation::max_megabytes", "`max_megabytes` must be positive", "1 or more");
        }
    }
}
