//! Who watches whom in a run.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use deferd_bench::Failure;
use deferd_bench::watch::Watcher;
use deferd_fixtures::{Mode, binary, newest};
use deferd_integration::process::Running;
use deferd_integration::rates::Rates;
use deferd_integration::recording::Recording;
use deferd_integration::wait;

use crate::figures::Figures;
use crate::workload::Workload;

/// Who watches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// Nobody.
    Alone,
    /// deferd watches the process.
    Watched,
    /// deferd watches another process.
    Control,
    /// Another watcher watches the process.
    Beside,
}

impl State {
    /// All of them.
    pub(crate) const ALL: [Self; 4] = [Self::Alone, Self::Watched, Self::Control, Self::Beside];

    /// In the table.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Alone => "nobody watches",
            Self::Watched => "deferd watches",
            Self::Control => "deferd watches another",
            Self::Beside => "the other watcher",
        }
    }
}

/// What all runs have in common.
#[derive(Debug)]
pub(crate) struct Setup {
    pub(crate) deferd: PathBuf,
    pub(crate) beside: Option<String>,
    pub(crate) seconds: u32,
    pub(crate) settle: u32,
}

/// Whoever watches, for as long as it lives.
enum Observer {
    Nobody,
    Deferd(Watcher),
    /// Killed when dropped.
    Other(Running),
}

impl Setup {
    /// One run of a workload, and what deferd saw of it. The other process is there in every state, so that it is no difference.
    pub(crate) fn measure(&self, workload: Workload, state: State) -> Result<(Figures, Recording), Failure> {
        let file = binary("rates", newest(), Mode::Plain);
        let mut other = Rates::ready(&file, &["-rate", "1000"]);
        other.begin();
        let mut program = workload.start(&file);
        let observer = match state {
            State::Alone => Observer::Nobody,
            State::Watched => Observer::Deferd(Watcher::start(&self.deferd, program.pid())?),
            State::Control => Observer::Deferd(Watcher::start(&self.deferd, other.pid())?),
            State::Beside => Observer::Other(self.start_beside(program.pid())?),
        };
        let figures = workload.measure(&file, &mut program, self.settle, self.seconds)?;
        let recording = match observer {
            Observer::Deferd(watcher) => watcher.stop(),
            Observer::Other(mut running) => {
                if !running.is_running() {
                    return Err(format!("the other watcher ended: {}", running.stderr()).into());
                }
                Recording::default()
            }
            Observer::Nobody => Recording::default(),
        };
        program.end();
        other.end();
        Ok((figures, recording))
    }

    fn start_beside(&self, pid: u32) -> Result<Running, Failure> {
        let command = self.beside.as_deref().unwrap_or_default().replace("{pid}", &pid.to_string());
        let mut words = command.split_whitespace();
        let mut command = Command::new(words.next().ok_or("--beside names no program")?);
        command.args(words);
        let running = Running::start(command);
        wait::pause(Duration::from_secs(1)); // it attaches, and does not say when it has
        Ok(running)
    }
}
