//! Processors of this distribution.

pub mod filter;
pub mod probabilistic_sampler;
pub mod resourcedetection;
pub mod threshold;

use deferd_component::Registry;

/// Lists every processor of this crate.
pub fn register(registry: &mut Registry) {
    registry.processor::<filter::Factory>();
    registry.processor::<probabilistic_sampler::Factory>();
    registry.processor::<resourcedetection::Factory>();
    registry.processor::<threshold::Factory>();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_processor_keeps_the_contract() {
        let mut registry = Registry::default();
        register(&mut registry);
        assert_eq!(deferd_component::testing::contract(&registry, &[]), [""; 0]);
    }
}
