//! Where the text goes.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};

use parking_lot::Mutex;

/// A place that could not be opened.
#[derive(Debug, thiserror::Error)]
#[error("cannot open output path {path:?} for appending: {source}")]
pub(super) struct OpenError {
    path: String,
    source: io::Error,
}

/// The service's log, or a list of streams and files.
#[derive(Debug)]
pub(super) enum Output {
    Log { component: String },
    Sinks(Vec<Sink>),
}

#[derive(Debug)]
pub(super) enum Sink {
    Stdout,
    Stderr,
    File(Mutex<File>),
}

impl Output {
    /// The service's own log, at level info.
    pub(super) fn log(component: String) -> Self {
        Self::Log { component }
    }

    /// Streams and files, opened now so that a path that cannot be written is noticed before anything runs.
    pub(super) fn open(paths: &[String]) -> Result<Self, OpenError> {
        paths.iter().map(|path| Sink::open(path)).collect::<Result<_, _>>().map(Self::Sinks)
    }

    /// Writes one batch's text and a line break. May block.
    pub(super) fn write(&self, text: &str) -> io::Result<()> {
        match self {
            // `multi_line` tells the service's log that the line breaks are ours, every other control being escaped.
            Self::Log { component } => tracing::info!(component, multi_line = true, "{text}"),
            Self::Sinks(sinks) => {
                let line = format!("{text}\n");
                for sink in sinks {
                    sink.write(line.as_bytes())?;
                }
            }
        }
        Ok(())
    }
}

impl Sink {
    fn open(path: &str) -> Result<Self, OpenError> {
        match path {
            "stdout" => Ok(Self::Stdout),
            "stderr" => Ok(Self::Stderr),
            path => match OpenOptions::new().append(true).create(true).open(path) {
                Ok(file) => Ok(Self::File(Mutex::new(file))),
                Err(source) => Err(OpenError { path: path.to_owned(), source }),
            },
        }
    }

    fn write(&self, text: &[u8]) -> io::Result<()> {
        match self {
            Self::Stdout => io::stdout().lock().write_all(text),
            Self::Stderr => io::stderr().lock().write_all(text),
            Self::File(file) => file.lock().write_all(text),
        }
    }
}
