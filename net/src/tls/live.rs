//! A configuration of rustls that follows its files.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use deferd_config::one_line;
use parking_lot::Mutex;

use super::material::{Material, TlsError};

/// How one side of TLS is made of files.
pub(super) trait Recipe: fmt::Debug + Send + Sync + 'static {
    /// What rustls needs for this side.
    type Built: fmt::Debug + Send + Sync + 'static;

    /// How often the files are looked at; zero is never.
    fn interval(&self) -> Duration;
    /// Reads the files. `before` is what was read last, for what is to stay.
    fn read(&self, before: Option<&Material>) -> Result<Material, TlsError>;
    /// Makes a configuration of them.
    fn build(&self, material: &Material) -> Result<Self::Built, TlsError>;
}

/// What a recipe makes, for new connections.
#[derive(Debug)]
pub(super) struct Live<R: Recipe> {
    recipe: R,
    current: Mutex<Current<R::Built>>,
}

#[derive(Debug)]
struct Current<B> {
    built: Arc<B>,
    material: Material,
    looked: Instant,
    /// What is wrong with the files now, so that it is said once.
    complaint: Option<TlsError>,
}

impl<R: Recipe> Live<R> {
    pub(super) fn new(recipe: R) -> Result<Self, TlsError> {
        let material = recipe.read(None)?;
        let built = Arc::new(recipe.build(&material)?);
        let current = Mutex::new(Current { built, material, looked: Instant::now(), complaint: None });
        Ok(Self { recipe, current })
    }

    pub(super) const fn recipe(&self) -> &R {
        &self.recipe
    }

    /// Whether [`at`](Self::at) would read files.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.due(self.current.lock().looked, now)
    }

    /// What a new connection uses. Reads files if they are due, so it may block.
    pub(super) fn at(&self, now: Instant) -> Arc<R::Built> {
        let mut current = self.current.lock();
        if !self.due(current.looked, now) {
            return Arc::clone(&current.built);
        }
        // Whoever comes meanwhile uses what is there: nobody waits for a disk.
        current.looked = now;
        let before = current.material.clone();
        drop(current);
        let read = self.recipe.read(Some(&before));
        if read.as_ref().is_ok_and(|material| *material == before) {
            let mut current = self.current.lock();
            current.complaint = None;
            return Arc::clone(&current.built);
        }
        let made = read.and_then(|material| Ok((self.recipe.build(&material)?, material)));
        let mut current = self.current.lock();
        match made {
            Ok((built, material)) => {
                tracing::info!("uses new TLS certificates for new connections");
                (current.built, current.material, current.complaint) = (Arc::new(built), material, None);
            }
            Err(error) => {
                if current.complaint.as_ref() != Some(&error) {
                    let error = one_line(&error.to_string());
                    tracing::warn!("keeps the TLS certificates it has, for those in its files cannot be used: {error}");
                }
                current.complaint = Some(error);
            }
        }
        Arc::clone(&current.built)
    }

    fn due(&self, looked: Instant, now: Instant) -> bool {
        let interval = self.recipe.interval();
        !interval.is_zero() && now.saturating_duration_since(looked) >= interval
    }
}
