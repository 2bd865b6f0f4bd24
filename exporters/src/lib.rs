//! Exporters of this distribution.

pub mod alertmanager;
pub mod debug;
pub mod nop;
pub mod prometheus;

use deferd_component::Registry;

/// Lists every exporter of this crate.
pub fn register(registry: &mut Registry) {
    registry.exporter::<alertmanager::Factory>();
    registry.exporter::<debug::Factory>();
    registry.exporter::<nop::Factory>();
    registry.exporter::<prometheus::Factory>();
}

#[cfg(test)]
mod tests {
    use deferd_component::{Kind, testing};

    use super::*;

    #[tokio::test]
    async fn every_exporter_keeps_the_contract() {
        let mut registry = Registry::default();
        register(&mut registry);
        let bodies = [(Kind::Exporter, "prometheus", "{endpoint: \"127.0.0.1:0\"}")];
        assert_eq!(testing::contract(&registry, &bodies), [""; 0]);
    }
}
