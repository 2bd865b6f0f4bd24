//! What is known about the place where this process runs. Each detector takes the texts it reads as values or through a
//! [`Files`], so that what it makes of them can be tried without the machine.

mod container;
mod env;
mod system;
#[cfg(test)]
pub(super) mod tests;

use std::path::{Path, PathBuf};

use super::config::{Config, Detector};

pub(super) use env::Malformed;

/// An attribute that was detected.
pub(super) type Found = (String, Value);

/// A detected value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    Text(String),
    Number(i64),
}

/// Where files and variables come from.
pub(super) trait Surroundings {
    /// The text of a small file, or `None` if there is none to be had.
    fn file(&self, path: &str) -> Option<String>;
    /// A variable of the environment.
    fn variable(&self, name: &str) -> Option<String>;
    /// The running executable.
    fn executable(&self) -> Option<PathBuf>;
    /// The process id.
    fn pid(&self) -> u32;
}

/// Runs the detectors in their order. A key that one found stays as it was found first; files that are missing only leave
/// their attributes out.
pub(super) fn run(config: &Config, around: &impl Surroundings) -> Result<Vec<Found>, Malformed> {
    let mut found: Vec<Found> = Vec::new();
    for detector in &config.detectors {
        let more = match detector {
            Detector::Env => env::detect(around)?,
            Detector::System => only(system::detect(around), |key| config.system.resource_attributes.enabled(key)),
            Detector::Process => only(process(around), |key| config.process.resource_attributes.enabled(key)),
            Detector::Container => only(container::detect(around), |key| config.container.resource_attributes.enabled(key)),
        };
        for (key, value) in more {
            if found.iter().all(|(there, _)| *there != key) {
                found.push((key, value));
            }
        }
    }
    Ok(found)
}

fn only(found: Vec<(&'static str, Value)>, wanted: impl Fn(&str) -> bool) -> Vec<Found> {
    found.into_iter().filter(|(key, _)| wanted(key)).map(|(key, value)| (key.to_owned(), value)).collect()
}

fn process(around: &impl Surroundings) -> Vec<(&'static str, Value)> {
    let mut found = vec![("process.pid", Value::Number(around.pid().into()))];
    if let Some(path) = around.executable() {
        let text = |part: &Path| Value::Text(part.to_string_lossy().into_owned());
        if let Some(name) = path.file_name() {
            found.push(("process.executable.name", text(Path::new(name))));
        }
        found.push(("process.executable.path", text(&path)));
    }
    found
}
