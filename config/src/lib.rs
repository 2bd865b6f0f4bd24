//! Configuration text turned into a checked document.

mod id;
mod limits;
mod node;
mod problem;
mod value;
mod yaml;

pub use id::{ComponentId, IdError, Kind, PipelineId, Signal};
pub use node::{Data, Entry, Node, Number, Origin};
pub use problem::{Issue, Issues, Problem, Validate, Warning};
pub use value::{ByteSize, Duration, Endpoint, Percent, REDACTED, Secret, ValueError};
