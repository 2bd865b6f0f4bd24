//! From configuration files to what the engine takes.

use std::path::Path;

use deferd_component::{Problem, Registry};
use deferd_config::service::Service as ServiceSection;
use deferd_config::{Document, Examined, FileState, Source, Warning};
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
    /// What was read, to say where things stand and to show it.
    pub(crate) document: Document,
}

/// What came of reading a configuration.
#[derive(Debug)]
pub(crate) struct Reading {
    /// The files that were read or should have been, whatever came of it.
    pub(crate) files: Vec<FileState>,
    /// The file with the admin token that it names. Apart from the others: what refers to those may be shown.
    pub(crate) token_file: Option<FileState>,
    /// The configuration, or every problem there is, in reading order.
    pub(crate) result: Result<Loaded, Vec<Problem>>,
}

impl Loaded {
    /// Reads the layers, checks the whole, and decodes every component, used or not. Returns every problem there is, in reading
    /// order.
    pub(crate) fn read(
        registry: &Registry,
        sources: &[Source],
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, Vec<Problem>> {
        Reading::of(registry, Document::examine(sources, environment)).result
    }

    /// The problem of something that cannot be had although the configuration is sound, at the key that asks for it.
    pub(crate) fn problem(&self, path: &str, message: String) -> Problem {
        let (node, _) = self.document.root().walk(path.split("::"));
        Problem::new(Some(node.origin.clone()), path, message)
    }
}

impl Reading {
    /// Checks what was read.
    pub(crate) fn of(registry: &Registry, examined: Examined) -> Self {
        let Examined { document, mut problems, warnings } = examined;
        let files = document.files().to_vec();
        let token_path = document.service().admin.as_ref().map(|admin| admin.token_file.as_str()).filter(|path| !path.is_empty());
        let token_file = token_path.map(|path| FileState::now(Path::new(path)));
        let result = match Spec::read(registry, &document) {
            Ok(spec) if problems.is_empty() => {
                let service = document.service().clone();
                Ok(Loaded { spec, service, warnings, document })
            }
            Ok(_) => Err(problems),
            Err(found) => {
                // Where one place has a problem already, what follows from it is not told as well.
                let news = |problem: &Problem| problem.origin.is_none() || problems.iter().all(|p| p.origin != problem.origin);
                let found: Vec<Problem> = found.into_iter().filter(news).collect();
                problems.extend(found);
                problems.sort_by(|one, other| one.origin.cmp(&other.origin));
                Err(problems)
            }
        };
        Self { files, token_file, result }
    }
}
