//! Exporters of this distribution.

pub mod alertmanager;
pub mod debug;
pub mod nop;
pub mod otlp;
pub mod prometheus;

use deferd_component::Registry;

/// Lists every exporter of this crate.
pub fn register(registry: &mut Registry) {
    registry.exporter::<alertmanager::Factory>();
    registry.exporter::<debug::Factory>();
    registry.exporter::<nop::Factory>();
    // The Collector renamed it; configurations have both names.
    registry.exporter::<otlp::Factory>().exporter_alias::<otlp::Factory>("otlp");
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
        let otlp = "{endpoint: \"http://127.0.0.1:4317\"}";
        let bodies = [
            (Kind::Exporter, "otlp", otlp),
            (Kind::Exporter, "otlp_grpc", otlp),
            (Kind::Exporter, "prometheus", "{endpoint: \"127.0.0.1:0\"}"),
        ];
        assert_eq!(testing::contract(&registry, &bodies), [""; 0]);
    }
}
