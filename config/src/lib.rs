//! Configuration text turned into a checked document.
//!
//! ```text
//! Source (file, env, yaml, --set)  ->  Node tree per layer  ->  merged  ->  ${...} expanded  ->  structure checked  =  Document
//!                                                                                   Document::decode::<T>(kind, id)  ->  T
//! ```
//!
//! Every step collects all problems it can find, each with file, line, column and key path; nothing stops at the first.
//! The text is not trusted: size, nesting, aliases and expansion are bounded, and nothing panics.
//!
//! The crate knows the *shape* of a configuration and no component. Which types exist is the caller's knowledge
//! ([`Document::unknown_type`]); what a component's body means is its own type's ([`Document::decode`]).

mod decode;
mod digest;
mod document;
mod expand;
mod id;
mod layers;
pub mod limits;
mod node;
mod problem;
mod schema;
pub mod service;
mod shown;
mod source;
mod structure;
mod value;
mod yaml;

pub use decode::{decode_file, decode_text};
pub use digest::FileState;
pub use document::{Document, Examined};
pub use id::{ComponentId, IdError, Kind, PipelineId, Signal};
pub use node::{Data, Entry, Node, Number, Origin};
pub use problem::{Issue, Issues, Problem, Validate, Warning, one_line};
pub use service::{PipelineSpec, Service, Telemetry};
pub use shown::shown;
pub use source::Source;
pub use value::{ByteSize, Duration, Endpoint, Percent, REDACTED, Secret, Template, TemplateError, ValueError};
