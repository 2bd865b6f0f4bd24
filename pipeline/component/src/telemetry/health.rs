//! What is degraded, and why.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use parking_lot::Mutex;

use super::{Exposition, MetricKind};

/// One component's complaint about itself: a stable reason for metrics and a text for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Degraded {
    /// Stable, label-safe name of the reason, such as `no_permission`.
    pub reason: String,
    /// What is wrong and what to do.
    pub message: String,
}

/// The health of every component: healthy unless it says otherwise.
#[derive(Debug, Default)]
pub struct Health {
    components: Mutex<BTreeMap<String, BTreeMap<String, String>>>,
}

impl Health {
    /// Lists a component, healthy. A component that is already listed keeps what it said.
    pub fn register(&self, component: &str) {
        self.components.lock().entry(component.to_owned()).or_default();
    }

    /// Forgets every component that is not in `present`.
    pub fn retain(&self, present: &BTreeSet<String>) {
        self.components.lock().retain(|component, _| present.contains(component));
    }

    /// Says that the component is degraded for `reason`. Returns whether that is news, so that a log line is written once. A component
    /// that is not listed is ignored: nobody could ever say that one which a reload removed has recovered.
    pub fn degrade(&self, component: &str, reason: &str, message: &str) -> bool {
        let mut components = self.components.lock();
        let Some(reasons) = components.get_mut(component) else { return false };
        reasons.insert(reason.to_owned(), message.to_owned()).as_deref() != Some(message)
    }

    /// Whether the component is degraded for `reason`.
    pub fn is_degraded(&self, component: &str, reason: &str) -> bool {
        self.components.lock().get(component).is_some_and(|reasons| reasons.contains_key(reason))
    }

    /// Says that `reason` no longer holds. Returns whether it did.
    pub fn recover(&self, component: &str, reason: &str) -> bool {
        self.components.lock().get_mut(component).is_some_and(|reasons| reasons.remove(reason).is_some())
    }

    /// What is degraded now.
    pub fn degraded(&self) -> Vec<(String, Degraded)> {
        let components = self.components.lock();
        let all = components.iter().flat_map(|(component, reasons)| reasons.iter().map(move |reason| (component, reason)));
        all.map(|(component, (reason, message))| {
            (component.clone(), Degraded { reason: reason.clone(), message: message.clone() })
        })
        .collect()
    }

    /// Every component that is listed, with the reasons why it is degraded and their texts.
    pub fn table(&self) -> BTreeMap<String, BTreeMap<String, String>> {
        self.components.lock().clone()
    }

    /// Writes `deferd_health`: per component 1 with the reason `ok`, or 0 for each reason that holds.
    pub fn render(self: &Arc<Self>, out: &mut Exposition) {
        out.family("deferd_health", "1 where a component is healthy, 0 for each reason why it is not", MetricKind::Gauge);
        for (component, reasons) in self.components.lock().iter() {
            if reasons.is_empty() {
                out.sample("deferd_health", labels(component, "ok").into_iter(), 1.0, None);
            }
            for reason in reasons.keys() {
                out.sample("deferd_health", labels(component, reason).into_iter(), 0.0, None);
            }
        }
    }
}

fn labels<'a>(component: &'a str, reason: &'a str) -> [(&'a str, &'a str); 2] {
    [("component", component), ("reason", reason)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_component_that_was_removed_cannot_become_degraded() {
        let health = Health::default();
        health.register("exporters::old");
        health.retain(&BTreeSet::new());
        assert!(!health.degrade("exporters::old", "export_failed", "while it drains"));
        assert_eq!(health.degraded(), []);
    }

    #[test]
    fn a_reason_is_news_once_and_ends_once() {
        let health = Arc::new(Health::default());
        health.register("receivers::godefer");
        assert!(health.degrade("receivers::godefer", "no_permission", "run as root"));
        assert!(!health.degrade("receivers::godefer", "no_permission", "run as root"));
        let mut out = Exposition::new();
        health.render(&mut out);
        assert!(out.finish().ends_with("deferd_health{component=\"receivers::godefer\",reason=\"no_permission\"} 0\n"));
        assert!(health.recover("receivers::godefer", "no_permission"));
        assert!(!health.recover("receivers::godefer", "no_permission"));
        assert_eq!(health.degraded(), []);
    }
}
