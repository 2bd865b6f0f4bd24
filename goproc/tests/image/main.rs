//! The image module against real executables: a fixture program built by
//! every supported Go release in every link mode, with the Go tools' own view
//! of the same file as ground truth.

#[cfg(test)]
mod defers;
#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod functions;
#[cfg(test)]
mod lines;
#[cfg(test)]
mod probe_points;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod sectionless;
#[cfg(test)]
mod summary;
