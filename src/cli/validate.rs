//! `deferd validate`: what is wrong with a configuration.

use deferd_component::Registry;
use deferd_config::Source;

use super::environment;
use crate::exit::Exit;
use crate::service::Loaded;
use crate::terminal;

/// Silent when all is well, else one line per problem. Starts nothing and opens no socket.
pub(crate) fn run(registry: &Registry, sources: &[Source]) -> Exit {
    let Err(problems) = Loaded::read(registry, sources, &environment) else { return Exit::Done };
    problems.iter().for_each(terminal::complain);
    Exit::Failed
}
