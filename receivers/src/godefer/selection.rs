//! Deciding which processes are watched.

use std::path::Path;

use deferd_goproc::target::{Candidate, container_of};
use regex::Regex;

use super::config::{Selector, Targets};

/// [`Targets`] with expressions compiled.
#[derive(Debug, Default)]
pub(super) struct Selection {
    include: Vec<Rule>,
    exclude: Vec<Rule>,
}

#[derive(Debug)]
struct Rule {
    selector: Selector,
    command_line: Option<Regex>,
}

impl Selection {
    /// Compiles validated targets. An expression that does not compile selects nothing.
    pub(super) fn new(targets: &Targets) -> Self {
        let rules = |selectors: &[Selector]| selectors.iter().filter_map(Rule::new).collect();
        Self { include: rules(&targets.include), exclude: rules(&targets.exclude) }
    }

    /// Whether the user named this process in some way, so that a failure to watch it is worth telling.
    pub(super) fn is_explicit(&self) -> bool {
        !self.include.is_empty()
    }

    pub(super) fn selects(&self, candidate: &Candidate) -> bool {
        let included = self.include.is_empty() || self.include.iter().any(|rule| rule.fits(candidate));
        included && !self.exclude.iter().any(|rule| rule.fits(candidate))
    }
}

impl Rule {
    fn new(selector: &Selector) -> Option<Self> {
        let command_line = match &selector.command_line {
            None => None,
            Some(expression) => Some(Regex::new(expression).ok()?),
        };
        Some(Self { selector: selector.clone(), command_line })
    }

    fn fits(&self, candidate: &Candidate) -> bool {
        let wanted = &self.selector;
        let executable = || match (&wanted.executable, &candidate.executable) {
            (None, _) => true,
            (Some(wanted), Some(path)) if wanted.contains('/') => path.as_os_str() == wanted.as_str(),
            (Some(wanted), Some(path)) => path.file_name().is_some_and(|name| name == wanted.as_str()),
            // Without the right to know the path: as it calls itself, so that the refusal is told and not silently passed over.
            (Some(wanted), None) => candidate.command_line.first().is_some_and(|name| same_file_name(name, wanted)),
        };
        let command_line = || match &self.command_line {
            None => true,
            Some(expression) => expression.is_match(&candidate.command_line.join(" ")),
        };
        let container = || match &wanted.container {
            None => true,
            Some(wanted) => container_of(candidate.pid).is_some_and(|id| id.starts_with(&wanted.to_ascii_lowercase())),
        };
        // Cheapest first: only the last reads a file.
        wanted.pid.is_none_or(|pid| pid == candidate.pid) && executable() && command_line() && container()
    }
}

fn same_file_name(one: &str, other: &str) -> bool {
    let name = |path| Path::new(path).file_name();
    name(one).is_some() && name(one) == name(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(executable: &str, arguments: &[&str]) -> Candidate {
        Candidate {
            pid: 42,
            executable: Some(executable.into()),
            command_line: arguments.iter().map(ToString::to_string).collect(),
            uid: None,
            start_ticks: 1,
            started: None,
        }
    }

    fn selection(include: Vec<Selector>, exclude: Vec<Selector>) -> Selection {
        Selection::new(&Targets { include, exclude })
    }

    #[test]
    fn without_includes_everything_is_selected_but_what_is_excluded() {
        let shop = Selector { executable: Some("shop".into()), ..Selector::default() };
        let all_but_shop = selection(vec![], vec![shop]);
        assert!(all_but_shop.selects(&candidate("/usr/bin/other", &[])));
        assert!(!all_but_shop.selects(&candidate("/usr/bin/shop", &[])));
    }

    #[test]
    fn all_keys_of_a_selector_must_fit_and_any_selector_is_enough() {
        let both =
            Selector { executable: Some("/bin/shop".into()), command_line: Some("--port=\\d+".into()), ..Selector::default() };
        let by_pid = Selector { pid: Some(7), ..Selector::default() };
        let selection = selection(vec![both, by_pid], vec![]);
        assert!(selection.selects(&candidate("/bin/shop", &["shop", "--port=80"])));
        assert!(!selection.selects(&candidate("/bin/shop", &["shop"])));
        assert!(!selection.selects(&candidate("/usr/bin/shop", &["shop", "--port=80"])));
        assert!(selection.selects(&Candidate { pid: 7, ..candidate("/bin/x", &[]) }));
    }

    #[test]
    fn a_process_whose_executable_is_hidden_goes_by_what_it_calls_itself() {
        let hidden = |arguments| Candidate { executable: None, ..candidate("", arguments) };
        for wanted in ["shop", "/bin/shop"] {
            let shop = Selector { executable: Some(wanted.into()), ..Selector::default() };
            let selection = selection(vec![shop], vec![]);
            assert!(selection.selects(&hidden(&["/bin/shop", "--port=80"])));
            assert!(!selection.selects(&hidden(&["/bin/other", "shop"])));
            assert!(!selection.selects(&hidden(&[])));
        }
    }
}
