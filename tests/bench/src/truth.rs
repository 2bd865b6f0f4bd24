//! What the program `rates` counted, between any two points in time.

use deferd_integration::rates::Counts;

/// The program's own account of a run, in the order of time.
#[derive(Debug, Clone, Default)]
pub struct Account(Vec<Counts>);

/// The true number lies between the two: what is under way at the moment of counting is in neither or in both.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Truth {
    /// At least.
    pub least: f64,
    /// At most.
    pub most: f64,
}

impl Truth {
    /// The best single figure.
    pub fn middle(self) -> f64 {
        f64::midpoint(self.least, self.most)
    }
}

impl Account {
    /// Of these lines.
    pub fn new(lines: Vec<Counts>) -> Self {
        Self(lines)
    }

    /// Registrations between two times in nanoseconds; `None` if a part of that was not counted. When between two lines something
    /// was registered is not known, so lines should be closer than what is compared by far.
    pub fn registrations(&self, from: u64, to: u64) -> Option<Truth> {
        let ((before_from, after_from), (before_to, after_to)) = (self.around(from)?, self.around(to)?);
        Some(Truth {
            least: real(before_to.registrations.saturating_sub(after_from.registrations_at_most)),
            most: real(after_to.registrations_at_most.saturating_sub(before_from.registrations)),
        })
    }

    /// Seconds of CPU that the program used between two times.
    pub fn cpu(&self, from: u64, to: u64) -> Option<f64> {
        let cpu = |count: &Counts| real(count.cpu_ns) / 1e9;
        Some(self.at(to, cpu)? - self.at(from, cpu)?)
    }

    /// Of the first and the last line, in nanoseconds.
    pub fn span(&self) -> Option<(u64, u64)> {
        Some((self.0.first()?.unix_nano, self.0.last()?.unix_nano))
    }

    /// The lines before and after a time; the same one twice if it is of that time.
    fn around(&self, time: u64) -> Option<(&Counts, &Counts)> {
        let after = self.0.partition_point(|count| count.unix_nano < time);
        let next = self.0.get(after)?;
        let before = if next.unix_nano == time { next } else { self.0.get(after.checked_sub(1)?)? };
        Some((before, next))
    }

    /// A figure at a time, on the straight line between the two lines around it.
    fn at(&self, time: u64, figure: impl Fn(&Counts) -> f64) -> Option<f64> {
        let (before, next) = self.around(time)?;
        if next.unix_nano == time {
            return Some(figure(next));
        }
        let share = real(time - before.unix_nano) / real(next.unix_nano - before.unix_nano);
        Some(figure(before) + share * (figure(next) - figure(before)))
    }
}

/// A number of things or nanoseconds.
#[expect(clippy::cast_precision_loss, reason = "nanoseconds of a difference and counts stay below 2^53")]
pub fn real(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One line a second: a thousand more each time, and ten under way.
    fn account() -> Account {
        let line = |second: u64| Counts {
            unix_nano: second * 1_000_000_000,
            registrations: second * 1000,
            registrations_at_most: second * 1000 + 10,
            returns: 0,
            cpu_ns: second * 500_000_000,
            allocations: 0,
        };
        Account::new((1..=10).map(line).collect())
    }

    #[test]
    fn truth_allows_for_what_is_under_way_and_for_what_is_between_two_lines() {
        let truth = account().registrations(2_000_000_000, 4_000_000_000).unwrap();
        assert_eq!(truth, Truth { least: 1990.0, most: 2010.0 });
        let truth = account().registrations(2_500_000_000, 4_000_000_000).unwrap();
        assert_eq!(truth, Truth { least: 990.0, most: 2010.0 });
        assert_eq!(account().cpu(2_500_000_000, 4_500_000_000), Some(1.0));
    }

    #[test]
    fn what_was_not_counted_is_not_known() {
        assert_eq!(account().registrations(500_000_000, 2_000_000_000), None);
        assert_eq!(account().registrations(2_000_000_000, 11_000_000_000), None);
        assert!(account().registrations(1_000_000_000, 10_000_000_000).is_some());
    }
}
