//! From configuration files to what the engine takes.

use deferd_component::{Problem, Registry};
use deferd_config::service::Service as ServiceSection;
use deferd_config::{Document, Source, Warning};
use deferd_engine::Spec;

/// A configuration in which nothing is wrong.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// What the engine runs.
    pub(crate) spec: Spec,
    /// What concerns the service itself.
    pub(crate) service: ServiceSection,
    /// What is odd about it.
    pub(crate) warnings: Vec<Warning>,
}

impl Loaded {
    /// Reads the layers, checks the whole, and decodes every component, used or not. Returns every problem there is, in reading
    /// order.
    pub(crate) fn read(
        registry: &Registry,
        sources: &[Source],
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, Vec<Problem>> {
        let examined = Document::examine(sources, environment);
        let decoded = Spec::read(registry, &examined.document);
        let mut problems = examined.problems;
        match decoded {
            Ok(spec) if problems.is_empty() => {
                let service = examined.document.service().clone();
                return Ok(Self { spec, service, warnings: examined.warnings });
            }
            Ok(_) => {}
            Err(found) => {
                // Where one place has a problem already, what follows from it is not told as well.
                let news = |problem: &Problem| problem.origin.is_none() || problems.iter().all(|p| p.origin != problem.origin);
                let found: Vec<Problem> = found.into_iter().filter(news).collect();
                problems.extend(found);
                problems.sort_by(|one, other| one.origin.cmp(&other.origin));
            }
        }
        Err(problems)
    }
}
