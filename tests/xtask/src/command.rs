//! Running other programs, with an error that says which one failed and how.

use std::io;
use std::process::{Command, ExitStatus};

/// A program that could not be started or did not end well.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// It is not installed, or not ours to run.
    #[error("cannot start `{shown}`: {source}")]
    Start { shown: String, source: io::Error },
    /// It ran and failed; `output` is what it said, empty if it spoke for itself.
    #[error("`{shown}` failed ({status}){output}")]
    Failed { shown: String, status: ExitStatus, output: String },
}

/// Runs a program whose output goes to our terminal.
pub(crate) fn run(command: &mut Command) -> Result<(), Error> {
    let shown = shown(command);
    let status = command.status().map_err(|source| Error::Start { shown: shown.clone(), source })?;
    if status.success() {
        return Ok(());
    }
    Err(Error::Failed { shown, status, output: String::new() })
}

/// What a program wrote.
pub(crate) struct Spoken {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs a program quietly; what it wrote becomes part of the error if it fails.
pub(crate) fn output(command: &mut Command) -> Result<Spoken, Error> {
    let shown = shown(command);
    let ended = command.output().map_err(|source| Error::Start { shown: shown.clone(), source })?;
    let spoken = Spoken {
        stdout: String::from_utf8_lossy(&ended.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&ended.stderr).into_owned(),
    };
    if ended.status.success() {
        return Ok(spoken);
    }
    Err(Error::Failed { shown, status: ended.status, output: format!(":\n{}{}", spoken.stdout, spoken.stderr) })
}

/// The command as one would type it, without the environment.
fn shown(command: &Command) -> String {
    std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failure_names_the_command_and_what_it_said() {
        let error = output(Command::new("sh").args(["-c", "echo out; echo err >&2; exit 3"])).err().unwrap();
        let text = error.to_string();
        assert!(text.starts_with("`sh -c echo out;"), "{text}");
        assert!(text.contains("exit status: 3") && text.contains("out\n") && text.contains("err\n"), "{text}");
    }

    #[test]
    fn missing_program_is_a_start_error() {
        let error = run(&mut Command::new("no-such-program-here")).unwrap_err();
        assert!(matches!(error, Error::Start { .. }), "{error}");
    }
}
