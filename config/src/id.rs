//! Names of things in a configuration: signals, component kinds, component and pipeline ids.
//!
//! The grammar and the error texts are the OpenTelemetry Collector's (`component/identifiable.go`), because people
//! search for them.

use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Longest component type, in bytes (Collector: `^[a-zA-Z][0-9a-zA-Z_]{0,62}$`).
const TYPE_MAX: usize = 63;
/// Longest component name, in characters (Collector: `nameMaxLength`).
const NAME_MAX: usize = 1024;

/// Why a text is no id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Nothing but white space.
    #[error("id must not be empty")]
    Empty,
    /// `/name`.
    #[error("in {0:?} id: the part before / should not be empty")]
    NoType(String),
    /// `type/`.
    #[error("in {0:?} id: the part after / should not be empty")]
    NoName(String),
    /// A type holds something else than letters, digits and `_`, or is too long.
    #[error("in {id:?} id: invalid character(s) in type {part:?}")]
    BadType {
        /// The whole id.
        id: String,
        /// The type.
        part: String,
    },
    /// A name holds white space, control characters or symbols.
    #[error("in {0:?} id: invalid character(s) in name {0:?}")]
    BadName(String),
    /// A name has more than 1024 characters.
    #[error("name is longer than {NAME_MAX} characters ({0} characters)")]
    LongName(usize),
    /// Not one of the four signals.
    #[error("unknown pipeline signal: {0:?}")]
    UnknownSignal(String),
}

/// One of OpenTelemetry's four kinds of data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Signal {
    /// Spans.
    Traces,
    /// Metric points.
    Metrics,
    /// Log records.
    Logs,
    /// Profile samples.
    Profiles,
}

impl Signal {
    /// All four, in the order the Collector prints them.
    pub const ALL: [Self; 4] = [Self::Traces, Self::Metrics, Self::Logs, Self::Profiles];

    /// Returns the name used in configurations, for example `traces`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Traces => "traces",
            Self::Metrics => "metrics",
            Self::Logs => "logs",
            Self::Profiles => "profiles",
        }
    }
}

impl FromStr for Signal {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        Self::ALL.into_iter().find(|signal| signal.as_str() == text).ok_or_else(|| IdError::UnknownSignal(text.to_owned()))
    }
}

/// What a component does, which is also the section that configures it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Brings data in.
    Receiver,
    /// Reads or changes data on its way.
    Processor,
    /// Sends data on.
    Exporter,
    /// Ends one pipeline and begins another.
    Connector,
    /// Belongs to the service, not to a pipeline.
    Extension,
}

impl Kind {
    /// All five, in the order of the sections in the Collector's documentation.
    pub const ALL: [Self; 5] = [Self::Receiver, Self::Processor, Self::Exporter, Self::Connector, Self::Extension];

    /// Returns the singular used in messages, for example `processor`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Receiver => "receiver",
            Self::Processor => "processor",
            Self::Exporter => "exporter",
            Self::Connector => "connector",
            Self::Extension => "extension",
        }
    }

    /// Returns the key of the section, for example `processors`.
    pub fn section(self) -> &'static str {
        match self {
            Self::Receiver => "receivers",
            Self::Processor => "processors",
            Self::Exporter => "exporters",
            Self::Connector => "connectors",
            Self::Extension => "extensions",
        }
    }
}

/// A component's id, written `type` or `type/name`; unique within its kind.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ComponentId {
    type_: String,
    name: String,
}

impl ComponentId {
    /// Returns the part before the slash, which says what the component is.
    pub fn type_(&self) -> &str {
        &self.type_
    }

    /// Returns the part after the slash, or an empty text.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl FromStr for ComponentId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let (type_, name) = split(text)?;
        if !is_type(type_) {
            return Err(IdError::BadType { id: text.to_owned(), part: type_.to_owned() });
        }
        Ok(Self { type_: type_.to_owned(), name: name.to_owned() })
    }
}

/// A pipeline's id, written `signal` or `signal/name`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PipelineId {
    signal: Signal,
    name: String,
}

impl PipelineId {
    /// Returns the signal the pipeline carries.
    pub fn signal(&self) -> Signal {
        self.signal
    }

    /// Returns the part after the slash, or an empty text.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl FromStr for PipelineId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let (signal, name) = split(text)?;
        Ok(Self { signal: signal.parse()?, name: name.to_owned() })
    }
}

/// Cuts `head[/name]` at the first slash, trims both sides and checks the name.
fn split(text: &str) -> Result<(&str, &str), IdError> {
    let (head, name) = match text.split_once('/') {
        None => (text.trim(), None),
        Some((head, name)) => (head.trim(), Some(name.trim())),
    };
    match (head, name) {
        ("", None) => Err(IdError::Empty),
        ("", Some(_)) => Err(IdError::NoType(text.to_owned())),
        (_, Some("")) => Err(IdError::NoName(text.to_owned())),
        (head, None) => Ok((head, "")),
        (head, Some(name)) => {
            let length = name.chars().count();
            if length > NAME_MAX {
                Err(IdError::LongName(length))
            } else if name.chars().all(is_name_char) {
                Ok((head, name))
            } else {
                Err(IdError::BadName(name.to_owned()))
            }
        }
    }
}

fn is_type(text: &str) -> bool {
    text.len() <= TYPE_MAX
        && text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// The Collector refuses Unicode separators, controls and symbols. Here ASCII is exact; beyond ASCII only white space
/// and controls are refused, because telling a symbol from a letter takes tables that nothing else here needs.
fn is_name_char(c: char) -> bool {
    if c.is_ascii() { c.is_ascii_graphic() && !"$+<=>^`|~".contains(c) } else { !c.is_whitespace() && !c.is_control() }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for ComponentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_id(f, &self.type_, &self.name)
    }
}

impl fmt::Display for PipelineId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_id(f, self.signal.as_str(), &self.name)
    }
}

fn write_id(f: &mut fmt::Formatter<'_>, head: &str, name: &str) -> fmt::Result {
    f.write_str(head)?;
    if name.is_empty() { Ok(()) } else { write!(f, "/{name}") }
}

/// Ids travel as text in every format.
macro_rules! as_text {
    ($($type:ident: $pattern:literal),*) => {$(
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
            }
        }

        impl schemars::JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "pattern": $pattern })
            }
        }
    )*};
}

as_text!(
    Signal: "^(traces|metrics|logs|profiles)$",
    ComponentId: "^[a-zA-Z][0-9a-zA-Z_]{0,62}(/.+)?$",
    PipelineId: "^(traces|metrics|logs|profiles)(/.+)?$"
);

#[cfg(test)]
mod tests;
