//! What came of a reload, or would: for the log, the admin address and the command line.

use deferd_component::Problem;
use deferd_config::service::Service as ServiceSection;
use deferd_engine::{Names, Plan, Spec};
use serde::{Deserialize, Serialize};

/// The answer to a request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Report {
    /// What came of it.
    pub(crate) result: Outcome,
    /// What happened, or would, to every instance; empty when rejected.
    #[serde(default)]
    pub(crate) plan: Changes,
    /// What is wrong, in reading order.
    #[serde(default)]
    pub(crate) problems: Vec<Told>,
    /// What is odd and stops nothing.
    #[serde(default)]
    pub(crate) warnings: Vec<Told>,
}

/// What came of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    /// The configuration is in place.
    Applied,
    /// It would be put in place, as far as can be told without acquiring anything.
    WouldApply,
    /// Nothing has changed.
    Rejected,
}

/// What becomes of everything, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Changes {
    /// Not touched.
    pub(crate) kept: Vec<String>,
    /// Rebuilt over the state they have.
    pub(crate) changed: Vec<String>,
    /// New.
    pub(crate) added: Vec<String>,
    /// Gone: drained.
    pub(crate) removed: Vec<String>,
}

/// A [`Problem`] in the form in which it is sent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Told {
    /// The file, or what else it stands in.
    pub(crate) source: Option<String>,
    /// From 1.
    pub(crate) line: Option<u32>,
    /// In characters, from 1.
    pub(crate) column: Option<u32>,
    /// Key path, `a::b::c`.
    pub(crate) path: String,
    /// The refused value as it may be shown.
    pub(crate) value: Option<String>,
    /// What is wrong.
    pub(crate) message: String,
    /// What would be right.
    pub(crate) allowed: Option<String>,
    /// The nearest right name.
    pub(crate) suggestion: Option<String>,
}

impl Report {
    /// Nothing has changed, because of these problems.
    pub(crate) fn rejected(problems: &[Problem]) -> Self {
        let problems = problems.iter().map(Told::from).collect();
        Self { result: Outcome::Rejected, plan: Changes::default(), problems, warnings: Vec::new() }
    }
}

impl Changes {
    /// What leads from one configuration to another. The parts of the service itself have no state: they are listed when they change.
    pub(crate) fn between(old: (&Spec, &ServiceSection), new: (&Spec, &ServiceSection)) -> Self {
        let Names { kept, mut changed, mut added, mut removed } = Plan::between(old.0, new.0).names();
        let (old, new) = (old.1, new.1);
        let parts = [
            ("telemetry::logs", old.telemetry.logs != new.telemetry.logs),
            ("telemetry::metrics", old.telemetry.metrics != new.telemetry.metrics),
            ("telemetry::resource", old.telemetry.resource != new.telemetry.resource),
            ("telemetry::traces", old.telemetry.traces != new.telemetry.traces),
            ("shutdown_timeout", old.shutdown_timeout != new.shutdown_timeout),
            ("reload", old.reload != new.reload),
            ("admin", old.admin.is_some() && new.admin.is_some() && old.admin != new.admin),
        ];
        changed.extend(parts.iter().filter(|(_, differs)| *differs).map(|(key, _)| format!("service::{key}")));
        match (&old.admin, &new.admin) {
            (None, Some(_)) => added.push("service::admin".to_owned()),
            (Some(_), None) => removed.push("service::admin".to_owned()),
            _ => {}
        }
        Self { kept, changed, added, removed }
    }

    /// One line per name that is not simply kept, and a count of those that are.
    pub(crate) fn lines(&self) -> Vec<String> {
        let all = [("changed", &self.changed), ("added", &self.added), ("removed", &self.removed)];
        let lines = all.into_iter().flat_map(|(verb, names)| names.iter().map(move |name| format!("{verb}: {name}")));
        lines.chain([format!("kept: {} instances", self.kept.len())]).collect()
    }
}

impl From<&Problem> for Told {
    fn from(problem: &Problem) -> Self {
        let place = problem.origin.as_ref();
        let text = |text: &Option<Box<str>>| text.as_deref().map(str::to_owned);
        Self {
            source: place.map(|origin| origin.source.to_string()),
            line: place.map(|origin| origin.line).filter(|line| *line > 0),
            column: place.map(|origin| origin.column).filter(|column| *column > 0),
            path: problem.path.clone(),
            value: text(&problem.value),
            message: problem.message.clone(),
            allowed: text(&problem.allowed),
            suggestion: text(&problem.suggestion),
        }
    }
}

impl Told {
    /// The problem again, to be shown as everywhere else.
    pub(crate) fn problem(&self) -> Problem {
        let origin = self.source.as_deref().map(|source| deferd_config::Origin {
            source: source.into(),
            line: self.line.unwrap_or_default(),
            column: self.column.unwrap_or_default(),
        });
        let text = |text: &Option<String>| text.as_deref().map(Into::into);
        Problem {
            value: text(&self.value),
            allowed: text(&self.allowed),
            suggestion: text(&self.suggestion),
            ..Problem::new(origin, self.path.clone(), self.message.clone())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_the_same_after_it_was_sent() {
        let origin = deferd_config::Origin { source: "c.yaml".into(), line: 3, column: 5 };
        let problem = Problem { value: Some("7".into()), ..Problem::new(Some(origin), "a::b", "is odd") };
        let problem = problem.with_allowed("limt", ["limit"]);
        let sent = serde_json::to_string(&Told::from(&problem)).unwrap();
        assert_eq!(serde_json::from_str::<Told>(&sent).unwrap().problem(), problem);
        assert_eq!(Told::default().problem(), Problem::new(None, "", ""));
    }
}
