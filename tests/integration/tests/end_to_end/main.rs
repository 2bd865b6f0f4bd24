//! deferd as users run it: the built binary, configuration files, signals, ports and exit codes, with real Go programs and a real
//! Prometheus.

#[cfg(test)]
mod alerts;
#[cfg(test)]
mod bad_configuration;
#[cfg(test)]
mod bad_process;
#[cfg(test)]
mod ends;
#[cfg(test)]
mod every_go;
#[cfg(test)]
mod files;
#[cfg(test)]
mod leak;
#[cfg(test)]
mod mixed_targets;
#[cfg(test)]
mod probe_plan;
#[cfg(test)]
mod probes;
#[cfg(test)]
mod prometheus;
#[cfg(test)]
mod reload;
