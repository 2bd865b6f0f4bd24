//! Which Alertmanagers are in trouble: said once in the log, shown in the health of the component.

use std::collections::BTreeMap;

use deferd_component::telemetry::Health;
use parking_lot::Mutex;

/// What is wrong with an Alertmanager.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trouble {
    /// It does not take alerts for now.
    Unreachable(String),
    /// It does not take alerts as they are, or not from us.
    Rejected(String),
}

/// What is wrong with each, kept over reloads.
#[derive(Debug, Default)]
pub(super) struct Troubles(Mutex<BTreeMap<String, Trouble>>);

impl Troubles {
    /// Forgets all but these.
    pub(super) fn retain(&self, addresses: &[String], component: &str, health: &Health) {
        let mut troubles = self.0.lock();
        troubles.retain(|address, _| addresses.contains(address));
        publish(&troubles, component, health);
    }

    /// Notes how it is with one of them.
    pub(super) fn set(&self, address: &str, trouble: Option<Trouble>, component: &str, health: &Health) {
        let mut troubles = self.0.lock();
        if troubles.get(address) == trouble.as_ref() {
            return;
        }
        if let Some(trouble) = trouble {
            let (Trouble::Unreachable(text) | Trouble::Rejected(text)) = &trouble;
            tracing::warn!(component, endpoint = address, "an Alertmanager does not take alerts: {text}");
            troubles.insert(address.to_owned(), trouble);
        } else {
            tracing::info!(component, endpoint = address, "an Alertmanager takes alerts again");
            troubles.remove(address);
        }
        publish(&troubles, component, health);
    }
}

fn publish(troubles: &BTreeMap<String, Trouble>, component: &str, health: &Health) {
    let mut texts = [("unreachable", Vec::new()), ("rejected", Vec::new())];
    let [(_, unreachable), (_, rejected)] = &mut texts;
    for (address, trouble) in troubles {
        match trouble {
            Trouble::Unreachable(text) => unreachable.push(format!("{address}: {text}")),
            Trouble::Rejected(text) => rejected.push(format!("{address}: {text}")),
        }
    }
    for (reason, texts) in texts {
        if texts.is_empty() {
            health.recover(component, reason);
        } else {
            health.degrade(component, reason, &texts.join("; "));
        }
    }
}
