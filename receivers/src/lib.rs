//! Receivers of this distribution.

pub mod godefer;

use deferd_component::Registry;

/// Lists every receiver of this crate.
pub fn register(registry: &mut Registry) {
    registry.receiver::<godefer::Factory>();
}
