//! The image module against real executables: a fixture program built by
//! every supported Go release in every link mode, with the Go tools' own view
//! of the same file as ground truth.

mod fixtures;
mod summary;
