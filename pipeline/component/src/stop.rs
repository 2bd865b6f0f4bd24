//! Asking a running component to end.

use tokio_util::sync::CancellationToken;

/// A component's end of the request to stop: cheap to clone, can be waited for by many tasks.
#[derive(Debug, Clone)]
pub struct Stop(CancellationToken);

/// The owner's end.
#[derive(Debug, Clone, Default)]
pub struct Stopper(CancellationToken);

impl Stop {
    /// Resolves once stopping was asked for; immediately if it already was.
    pub async fn wait(&self) {
        self.0.cancelled().await;
    }

    /// Whether stopping was asked for.
    pub fn is_set(&self) -> bool {
        self.0.is_cancelled()
    }
}

impl Stopper {
    /// A request not yet made.
    pub fn new() -> Self {
        Self::default()
    }

    /// The end to hand to the component.
    pub fn listener(&self) -> Stop {
        Stop(self.0.clone())
    }

    /// Asks to stop. Asking twice is the same as once.
    pub fn stop(&self) {
        self.0.cancel();
    }
}
