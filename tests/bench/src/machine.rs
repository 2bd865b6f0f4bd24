//! What the figures were measured on.

use std::fs;

/// Processor, cores, memory and kernel, in one line.
pub fn describe() -> String {
    let field = |file: &str, name: &str| {
        let text = fs::read_to_string(file).unwrap_or_default();
        let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default();
        line.split_once(':').map_or_else(String::new, |(_, value)| value.trim().to_owned())
    };
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    // The version of a kernel, without what its builder added.
    let kernel = kernel.split(['-', '+', '\n']).next().unwrap_or_default();
    format!(
        "{} ({cores} cores), memory {}, Linux {kernel}",
        field("/proc/cpuinfo", "model name"),
        field("/proc/meminfo", "MemTotal")
    )
}
