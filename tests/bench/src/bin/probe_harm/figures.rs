//! Figures of many runs, and how those of a round compare.

use std::fmt;

use deferd_bench::spread::Spread;

use crate::state::State;

/// One figure of a run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Figure {
    name: &'static str,
    value: f64,
}

impl Figure {
    pub(crate) const fn new(name: &'static str, value: f64) -> Self {
        Self { name, value }
    }
}

/// All figures of a run, in the order of the table.
pub(crate) type Figures = Vec<Figure>;

/// All rounds of a workload.
#[derive(Debug, Default)]
pub(crate) struct Table {
    rounds: Vec<Vec<(State, Figures)>>,
}

impl Table {
    /// Adds a round.
    pub(crate) fn add(&mut self, round: Vec<(State, Figures)>) {
        self.rounds.push(round);
    }

    /// A figure of each round in which this state had its turn.
    fn values(&self, state: State, name: &str) -> Vec<f64> {
        self.rounds.iter().filter_map(|round| value(round, state, name)).collect()
    }

    /// The same, as ratios to what the process does alone in the same round.
    fn ratios(&self, state: State, name: &str) -> Vec<f64> {
        let ratio = |round: &Vec<_>| Some(value(round, state, name)? / value(round, State::Alone, name)?);
        self.rounds.iter().filter_map(ratio).collect()
    }

    fn names(&self) -> Vec<&'static str> {
        let first = self.rounds.first().and_then(|round| round.first());
        first.map_or_else(Vec::new, |(_, figures)| figures.iter().map(|figure| figure.name).collect())
    }
}

fn value(round: &[(State, Figures)], state: State, name: &str) -> Option<f64> {
    let (_, figures) = round.iter().find(|(which, _)| *which == state)?;
    figures.iter().find(|figure| figure.name == name).map(|figure| figure.value)
}

impl fmt::Display for Table {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "| figure | state | median | against nobody, same round: median (least .. most) |\n|---|---|---|---|")?;
        for name in self.names() {
            for state in State::ALL {
                let Some(absolute) = Spread::of(self.values(state, name)) else { continue };
                let ratio = Spread::of(self.ratios(state, name)).filter(|_| state != State::Alone);
                let ratio = ratio.map_or_else(String::new, |ratio| ratio.to_string());
                writeln!(out, "| {name} | {} | {:.0} | {ratio} |", state.name(), absolute.median)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_is_of_two_runs_of_one_round() {
        let mut table = Table::default();
        // The machine is twice as fast in the second round.
        for (alone, watched) in [(100.0, 99.0), (200.0, 198.0), (100.0, 98.0)] {
            let run = |state, value| (state, vec![Figure::new("defers", value)]);
            table.add(vec![run(State::Watched, watched), run(State::Alone, alone)]);
        }
        let text = table.to_string();
        assert!(text.contains("| defers | nobody watches | 100 |  |"), "{text}");
        assert!(text.contains("| defers | deferd watches | 99 | -1.00 % (-2.00 .. -1.00) |"), "{text}");
        assert!(!text.contains("another"), "{text}");
    }
}
