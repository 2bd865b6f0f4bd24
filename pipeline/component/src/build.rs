//! What a component is given when it is built, and how building fails.

use std::sync::Arc;

use crate::sockets::{Claims, Listener, SocketError};
use crate::telemetry::{Health, Telemetry};
use crate::{ComponentId, Kind, PipelineId, Signal};

/// Why a component could not be built although its configuration is valid. The running configuration stays.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// An address could not be listened on.
    #[error(transparent)]
    Socket(#[from] SocketError),
    /// Something else that the component needs could not be had; the text says what and how to get it.
    #[error("{0}")]
    Unavailable(String),
}

/// The surroundings of one component instance.
#[derive(Debug, Clone)]
pub struct BuildContext {
    /// What kind of component is built.
    pub kind: Kind,
    /// Its id.
    pub id: ComponentId,
    /// The signals this instance serves: one, but for a receiver, which is shared by all its signals.
    pub signals: Vec<Signal>,
    /// The pipeline it is built for, if it belongs to one.
    pub pipeline: Option<PipelineId>,
    /// The service's own metrics.
    pub telemetry: Arc<Telemetry>,
    /// Where it says what is degraded and why.
    pub health: Arc<Health>,
    /// Listening sockets, kept over reloads.
    pub sockets: Arc<Claims>,
}

impl BuildContext {
    /// `receivers::godefer/a`, as in error texts and metric labels.
    pub fn path(&self) -> String {
        format!("{}::{}", self.kind.section(), self.id)
    }

    /// Listens on `endpoint` (`host:port`), or takes over the socket that an earlier configuration had there.
    pub fn listen(&self, endpoint: &str) -> Result<Arc<Listener>, BuildError> {
        Ok(self.sockets.listen(&self.path(), endpoint)?)
    }
}
