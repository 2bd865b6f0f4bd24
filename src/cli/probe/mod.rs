//! `deferd probe PID`: where probes would stand in a Go process and what they
//! would cost. Nothing is placed and nothing is changed about the process.

mod json;
mod plan;
mod table;

#[cfg(test)]
mod tests;

use deferd_goproc::target::{Target, cpu_time};

use super::arguments::{Format, ProbeArguments};
use super::snapshot::not_attached;
use crate::exit::Exit;
use crate::terminal;
use plan::{Budget, Plan};

/// Shows the plan, or says in one line why there can be none.
pub(crate) fn run(arguments: &ProbeArguments) -> Exit {
    let target = match Target::attach(arguments.pid) {
        Ok(target) => target,
        Err(error) => {
            terminal::complain(&error);
            return not_attached(&error);
        }
    };
    let process = target.process();
    let age = process.started.and_then(|started| started.elapsed().ok());
    let used = age.zip(cpu_time(process.pid)).map(|(age, used)| used.as_secs_f64() / age.as_secs_f64().max(1.0));
    let plan = Plan::new(target.image(), Budget { share: arguments.max_target_overhead.ratio(), used });
    terminal::show_result(&match arguments.format {
        Format::Table => table::text(process, &plan),
        Format::Json => json::text(process, &plan),
    })
}
