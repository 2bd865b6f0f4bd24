//! The alert about the leak: that it fires, and that it ends when the leak does.

use std::time::Duration;

use deferd_config::one_line;

use super::scrape::Alert;

/// How far it has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Alarm {
    /// Nothing was said yet.
    #[default]
    Quiet,
    /// It fires.
    Firing,
    /// It has fired, and was resolved.
    Resolved,
}

impl Alarm {
    /// Takes what the exporter shows now. Returns a line of the timeline if that is news.
    pub(super) fn look(&mut self, alert: Option<&Alert>, after: Duration) -> Option<String> {
        let alert = alert?;
        let next = match (*self, alert.firing) {
            (Self::Quiet | Self::Resolved, true) => Self::Firing,
            (Self::Firing, false) => Self::Resolved,
            (same, _) => same,
        };
        if std::mem::replace(self, next) == next {
            return None;
        }
        let verb = if next == Self::Firing { "FIRES" } else { "IS RESOLVED" };
        let (name, severity, place) = (one_line(&alert.name), one_line(&alert.severity), one_line(&alert.place));
        Some(format!("{:>5} s  {place:<14}{severity} alert {name} {verb}\n", after.as_secs()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn firing_and_its_end_are_told_once() {
        let mut alarm = Alarm::default();
        let alert = |firing| Alert { name: "A".into(), severity: "critical".into(), place: "main.go:33".into(), firing };
        let mut look = |shown: Option<bool>| alarm.look(shown.map(alert).as_ref(), Duration::from_secs(12));
        assert_eq!((look(None), look(Some(false))), (None, None));
        assert_eq!(look(Some(true)).as_deref(), Some("   12 s  main.go:33    critical alert A FIRES\n"));
        assert_eq!(look(Some(true)), None);
        assert_eq!(look(Some(false)).as_deref(), Some("   12 s  main.go:33    critical alert A IS RESOLVED\n"));
        assert_eq!(look(Some(false)), None);
        assert_eq!(alarm, Alarm::Resolved);
    }
}
