//! Exporters of this distribution.

pub mod debug;
pub mod prometheus;

use deferd_component::Registry;

/// Lists every exporter of this crate.
pub fn register(registry: &mut Registry) {
    registry.exporter::<debug::Factory>();
    registry.exporter::<prometheus::Factory>();
}
