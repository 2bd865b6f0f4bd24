//! A distribution of one's own: all that deferd has, and a component that it has not.

mod only_services;

use std::process::ExitCode;

fn main() -> ExitCode {
    deferd::run(|registry| {
        deferd::components(registry);
        registry.processor::<only_services::Factory>();
    })
}
