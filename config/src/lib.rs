//! Configuration text turned into a checked document.

mod expand;
mod id;
mod layers;
mod limits;
mod node;
mod problem;
mod source;
mod value;
mod yaml;

pub use id::{ComponentId, IdError, Kind, PipelineId, Signal};
pub use node::{Data, Entry, Node, Number, Origin};
pub use problem::{Issue, Issues, Problem, Validate, Warning};
pub use source::Source;
pub use value::{ByteSize, Duration, Endpoint, Percent, REDACTED, Secret, ValueError};
