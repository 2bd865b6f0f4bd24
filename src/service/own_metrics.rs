//! Where a Prometheus can scrape the service itself.

use std::collections::BTreeMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use deferd_component::telemetry::{Exposition, Health, MetricKind, Telemetry};
use deferd_component::{Listener, SocketError, Sockets, Stopper};
use deferd_config::{Endpoint, service};
use deferd_net::http::{self, Page, Pages};

use super::process::ProcessFigures;

/// The name under which the endpoint's addresses are reserved: the key it is configured at.
const OWNER: &str = "service::telemetry::metrics";

/// The endpoints of the current configuration. They share what they show.
pub(crate) struct OwnMetrics {
    sockets: Arc<Sockets>,
    shown: Arc<Shown>,
    serving: BTreeMap<Endpoint, Serving>,
}

struct Serving {
    listener: Arc<Listener>,
    stopper: Stopper,
}

/// The sockets of another configuration, acquired and not yet in use. Dropping it gives the new ones back.
pub(crate) struct Staged {
    listeners: BTreeMap<Endpoint, Arc<Listener>>,
    labels: Labels,
}

/// What is shown.
struct Shown {
    telemetry: Arc<Telemetry>,
    health: Arc<Health>,
    process: ProcessFigures,
    labels: ArcSwap<Labels>,
}

type Labels = BTreeMap<String, String>;

impl OwnMetrics {
    /// Nothing served yet.
    pub(crate) fn new(telemetry: Arc<Telemetry>, health: Arc<Health>, sockets: Arc<Sockets>) -> Self {
        let shown = Shown { telemetry, health, process: ProcessFigures::new(), labels: ArcSwap::default() };
        Self { sockets, shown: Arc::new(shown), serving: BTreeMap::new() }
    }

    /// Acquires what a configuration needs; addresses that it keeps keep their sockets.
    pub(crate) fn stage(&self, telemetry: &service::Telemetry) -> Result<Staged, SocketError> {
        let listen = |endpoint: Endpoint| {
            let listener = self.sockets.reserve(OWNER, &endpoint.to_string())?;
            Ok((endpoint, listener))
        };
        let listeners = telemetry.scrape_endpoints().into_iter().map(listen).collect::<Result<_, SocketError>>()?;
        Ok(Staged { listeners, labels: target_info(&telemetry.resource, &instance_id()) })
    }

    /// Serves what was staged and nothing else. Cannot fail, and an address that stays is never closed.
    pub(crate) fn commit(&mut self, staged: Staged) {
        let Staged { listeners, mut labels } = staged;
        // The instance is the same for as long as the process lives.
        if let (Some(id), Some(new)) = (self.shown.labels.load().get(INSTANCE_ID), labels.get_mut(INSTANCE_ID)) {
            new.clone_from(id);
        }
        self.shown.labels.store(Arc::new(labels));
        self.serving.retain(|endpoint, serving| {
            let stays = listeners.contains_key(endpoint);
            if !stays {
                serving.stopper.stop();
            }
            stays
        });
        for (endpoint, listener) in listeners {
            self.serving.entry(endpoint).or_insert_with(|| Serving::start(listener, Arc::clone(&self.shown)));
        }
    }

    /// What is shown now.
    #[cfg(test)]
    pub(crate) fn page(&self) -> String {
        self.shown.render()
    }

    /// The addresses that are listened on.
    pub(crate) fn addresses(&self) -> impl Iterator<Item = std::net::SocketAddr> {
        self.serving.values().map(|serving| serving.listener.address())
    }
}

impl Serving {
    fn start(listener: Arc<Listener>, shown: Arc<Shown>) -> Self {
        tracing::info!("Serving own metrics on http://{}/metrics", listener.address());
        let stopper = Stopper::new();
        let (socket, stop, telemetry) = (Arc::clone(&listener), stopper.listener(), Arc::clone(&shown.telemetry));
        let pages = Pages::new().page("/metrics", move || {
            let text = shown.render();
            async move { Page::ok(Exposition::CONTENT_TYPE, text) }
        });
        tokio::spawn(async move { http::serve(socket, Arc::new(pages), &telemetry, stop).await });
        Self { listener, stopper }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.stopper.stop();
    }
}

impl Shown {
    fn render(&self) -> String {
        let mut out = Exposition::new();
        self.telemetry.render(&mut out);
        self.health.render(&mut out);
        self.process.render(&mut out);
        out.family("target_info", "What this service is", MetricKind::Gauge);
        let labels = self.labels.load();
        out.sample("target_info", labels.iter().map(|(key, value)| (key.as_str(), value.as_str())), 1.0, None);
        out.finish()
    }
}

const INSTANCE_ID: &str = "service_instance_id";

/// The service's resource as labels: three attributes by default, and what the configuration adds, replaces, or, with null,
/// takes away.
fn target_info(resource: &BTreeMap<String, serde_json::Value>, instance_id: &str) -> Labels {
    let defaults = [("service_name", "deferd"), ("service_version", env!("CARGO_PKG_VERSION")), (INSTANCE_ID, instance_id)];
    let mut labels: Labels = defaults.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
    for (key, value) in resource {
        let key = label_name(key);
        match value {
            serde_json::Value::Null => drop(labels.remove(&key)),
            serde_json::Value::String(text) => drop(labels.insert(key, text.clone())),
            other => drop(labels.insert(key, other.to_string())),
        }
    }
    labels
}

/// The attribute key as a label name: `service.name` is `service_name`, and no label begins with a digit.
fn label_name(key: &str) -> String {
    let name: String = key.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    if name.starts_with(|first: char| first.is_ascii_digit()) { format!("_{name}") } else { name }
}

/// An id for this run of the service, random as the Collector's; where the kernel gives none, the process id.
fn instance_id() -> String {
    let random = std::fs::read_to_string("/proc/sys/kernel/random/uuid");
    random.map_or_else(|_| std::process::id().to_string(), |text| text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_resource_adds_replaces_and_takes_away_labels() {
        let resource = BTreeMap::from([
            ("service.name".to_owned(), json!("edge")),
            ("service.version".to_owned(), json!(null)),
            ("9.rack".to_owned(), json!(7)),
        ]);
        let labels = target_info(&resource, "id");
        let expected = [("_9_rack", "7"), ("service_instance_id", "id"), ("service_name", "edge")];
        assert!(labels.iter().map(|(key, value)| (key.as_str(), value.as_str())).eq(expected), "{labels:?}");
    }
}
