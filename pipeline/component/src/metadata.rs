//! What a component says about itself, for `deferd components`, checks and documentation.

use std::fmt;

use crate::Signal;

/// How far a component can be relied on; the Collector's levels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stability {
    /// Keys and output may change without notice.
    Development,
    /// Works; keys may change with a changelog entry.
    Alpha,
    /// Keys change only with a deprecation period.
    Beta,
    /// Keys do not change within a major version.
    Stable,
}

impl fmt::Display for Stability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Development => "Development",
            Self::Alpha => "Alpha",
            Self::Beta => "Beta",
            Self::Stable => "Stable",
        })
    }
}

/// The fixed facts of a component type.
#[derive(Debug, Clone, Copy)]
pub struct Metadata {
    /// The type in `type/name` ids.
    pub component_type: &'static str,
    /// One sentence: what it is for.
    pub summary: &'static str,
    /// The signals it takes or gives.
    pub signals: &'static [Signal],
    /// How far it can be relied on.
    pub stability: Stability,
}
