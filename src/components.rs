//! What this distribution holds.

use deferd_component::Registry;

/// Lists every component of this distribution.
pub fn components(registry: &mut Registry) {
    deferd_receivers::register(registry);
    deferd_processors::register(registry);
    deferd_connectors::register(registry);
    deferd_exporters::register(registry);
}
