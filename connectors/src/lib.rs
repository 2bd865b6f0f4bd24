//! Connectors of this distribution.

pub mod forward;

use deferd_component::Registry;

/// Lists every connector of this crate.
pub fn register(registry: &mut Registry) {
    registry.connector::<forward::Factory>();
}
