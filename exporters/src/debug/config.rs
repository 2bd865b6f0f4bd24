//! Keys of the debug exporter, with the Collector's names and defaults.

use deferd_component::{Issues, Validate};
use schemars::JsonSchema;
use serde::Deserialize;

/// How much of a batch is shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Verbosity {
    /// Counts, one line per batch.
    #[default]
    Basic,
    /// About one line per data point or log record.
    Normal,
    /// Everything.
    Detailed,
}

/// The configuration of one debug exporter.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// How much of a batch is shown.
    pub verbosity: Verbosity,
    /// Batches shown in each second before sampling begins.
    pub sampling_initial: u32,
    /// After these, every n-th batch is shown: 1 shows all, 0 none.
    pub sampling_thereafter: u32,
    /// Whether output goes to the service's own log rather than to `output_paths`.
    pub use_internal_logger: bool,
    /// `stdout`, `stderr` or files to append to. Only without `use_internal_logger`.
    pub output_paths: Vec<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            verbosity: Verbosity::Basic,
            sampling_initial: 2,
            sampling_thereafter: 1,
            use_internal_logger: true,
            output_paths: vec!["stdout".to_owned()],
        }
    }
}

impl Validate for Config {
    fn validate(&self, issues: &mut Issues) {
        if self.output_paths.is_empty() {
            issues.push("output_paths", "`output_paths` is empty", "stdout, stderr or paths of files");
        }
        if self.use_internal_logger && self.output_paths != Self::default().output_paths {
            let text = "`output_paths` has no effect while `use_internal_logger` is true";
            issues.push("output_paths", text, "add `use_internal_logger: false`");
        }
    }
}
