//! demo
use super::arguments::DemoArguments;
use crate::exit::Exit;
pub(crate) fn run(_: &deferd_component::Registry, _: &DemoArguments) -> Exit { Exit::Failed }
