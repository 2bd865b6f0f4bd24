//! Listening sockets that outlive reloads.
//!
//! A socket is found again by its address, whatever component asks: a renamed receiver keeps it, and a client never sees a
//! refused connection. Sockets are acquired while a plan is being built, before anything is committed, so "address in use" makes
//! the plan fail and nothing else.

use std::collections::HashMap;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use tokio::net::TcpListener;

/// Why an address cannot be listened on.
#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    /// The text is no `host:port`, or the host is unknown.
    #[error("cannot resolve listen address \"{endpoint}\": {source}")]
    Resolve {
        /// The address as configured.
        endpoint: String,
        /// What the system said.
        source: io::Error,
    },
    /// The system refused.
    #[error("cannot listen on {endpoint}: {source}{}", hint(.source))]
    Bind {
        /// The address as configured.
        endpoint: String,
        /// What the system said.
        source: io::Error,
    },
    /// Another component of the same configuration has it.
    #[error("cannot listen on {endpoint}: {owner} already does")]
    Taken {
        /// The address as configured.
        endpoint: String,
        /// The component that has it.
        owner: String,
    },
}

fn hint(source: &io::Error) -> &'static str {
    match source.kind() {
        io::ErrorKind::AddrInUse => " (another process has it; `ss -ltnp` shows which, port 0 picks a free one)",
        io::ErrorKind::PermissionDenied => " (ports below 1024 need CAP_NET_BIND_SERVICE)",
        _ => "",
    }
}

/// A bound, listening TCP socket.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    address: SocketAddr,
}

impl Listener {
    /// Where it really listens (the chosen port, if port 0 was asked for).
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The next connection. Several tasks may accept at once, so an old and a new component can overlap.
    pub async fn accept(&self) -> io::Result<(tokio::net::TcpStream, SocketAddr)> {
        self.socket.accept().await
    }
}

/// All listening sockets of the service.
#[derive(Debug, Default)]
pub struct Sockets(Mutex<HashMap<Key, Known>>);

#[derive(Debug)]
struct Known {
    listener: Weak<Listener>,
    /// Who has it for itself, if it is not a component's.
    reserved_for: Option<String>,
}

/// Port 0 means "any", so two components asking for it must not share: then the owner is part of the key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    endpoint: String,
    owner: Option<String>,
}

/// The sockets that one configuration uses: who claimed what. Made anew for each plan; components that a plan keeps have their
/// claims carried over from the plan before.
#[derive(Debug, Default)]
pub struct Claims {
    sockets: Arc<Sockets>,
    owners: Mutex<HashMap<Key, String>>,
}

impl Claims {
    /// No claims yet.
    pub fn new(sockets: Arc<Sockets>) -> Self {
        Self { sockets, owners: Mutex::default() }
    }

    /// Claims for the next plan, holding what the owners for which `keep` is true had.
    #[must_use]
    pub fn carry_over(&self, keep: impl Fn(&str) -> bool) -> Self {
        let owners = self.owners.lock();
        let kept = owners.iter().filter(|(_, owner)| keep(owner)).map(|(key, owner)| (key.clone(), owner.clone())).collect();
        Self { sockets: Arc::clone(&self.sockets), owners: Mutex::new(kept) }
    }

    /// The listener for `endpoint`, existing or new. Needs a Tokio runtime.
    pub fn listen(&self, owner: &str, endpoint: &str) -> Result<Arc<Listener>, SocketError> {
        let any_port = endpoint.ends_with(":0");
        let key = Key { endpoint: endpoint.to_owned(), owner: any_port.then(|| owner.to_owned()) };
        if let Some(other) = self.owners.lock().get(&key).filter(|other| other.as_str() != owner) {
            return Err(SocketError::Taken { endpoint: endpoint.to_owned(), owner: other.clone() });
        }
        let listener = self.sockets.obtain(&key, None)?;
        self.owners.lock().insert(key, owner.to_owned());
        Ok(listener)
    }
}

impl Sockets {
    /// A listener for the service itself, existing or new, which no component gets for as long as it lives. Needs a Tokio
    /// runtime.
    pub fn reserve(&self, owner: &str, endpoint: &str) -> Result<Arc<Listener>, SocketError> {
        let any_port = endpoint.ends_with(":0");
        let key = Key { endpoint: endpoint.to_owned(), owner: any_port.then(|| owner.to_owned()) };
        self.obtain(&key, Some(owner))
    }

    fn obtain(&self, key: &Key, reserved_for: Option<&str>) -> Result<Arc<Listener>, SocketError> {
        let mut sockets = self.0.lock();
        sockets.retain(|_, known| known.listener.strong_count() > 0);
        if let Some((known, listener)) = sockets.get(key).and_then(|known| Some((known, known.listener.upgrade()?))) {
            if known.reserved_for.as_deref() == reserved_for {
                return Ok(listener);
            }
            let owner = known.reserved_for.clone().unwrap_or_else(|| "a component".to_owned());
            return Err(SocketError::Taken { endpoint: key.endpoint.clone(), owner });
        }
        let listener = Arc::new(bind(&key.endpoint)?);
        let known = Known { listener: Arc::downgrade(&listener), reserved_for: reserved_for.map(str::to_owned) };
        sockets.insert(key.clone(), known);
        Ok(listener)
    }
}

fn bind(endpoint: &str) -> Result<Listener, SocketError> {
    // An empty host means every address, as in Go; IPv4 alone where there is no IPv6.
    let resolved = match endpoint.strip_prefix(':') {
        Some(port) => format!("[::]:{port}").to_socket_addrs().map(|all| all.chain(any_ipv4(port)).collect::<Vec<_>>()),
        None => endpoint.to_socket_addrs().map(Iterator::collect),
    };
    let addresses = resolved.map_err(|source| SocketError::Resolve { endpoint: endpoint.to_owned(), source })?;
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
    for address in addresses {
        match listen_on(address) {
            Ok(listener) => return Ok(listener),
            Err(error) => last = error,
        }
    }
    Err(SocketError::Bind { endpoint: endpoint.to_owned(), source: last })
}

fn any_ipv4(port: &str) -> Option<SocketAddr> {
    Some(SocketAddr::from((std::net::Ipv4Addr::UNSPECIFIED, port.parse().ok()?)))
}

fn listen_on(address: SocketAddr) -> io::Result<Listener> {
    let socket = std::net::TcpListener::bind(address)?;
    socket.set_nonblocking(true)?;
    let socket = TcpListener::from_std(socket)?;
    let address = socket.local_addr()?;
    Ok(Listener { socket, address })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_renamed_component_keeps_the_socket_of_its_address() {
        let first = Claims::new(Arc::new(Sockets::default()));
        let endpoint = free_address();
        let old = first.listen("exporters::prometheus/a", &endpoint).unwrap();
        let next = first.carry_over(|_| false);
        let new = next.listen("exporters::prometheus/b", &endpoint).unwrap();
        assert!(Arc::ptr_eq(&old, &new));
    }

    #[tokio::test]
    async fn two_components_of_one_configuration_cannot_share_an_address() {
        let claims = Claims::new(Arc::new(Sockets::default()));
        let held = claims.listen("exporters::prometheus/a", "127.0.0.1:0").unwrap();
        let other = claims.listen("exporters::prometheus/b", "127.0.0.1:0").unwrap();
        assert_ne!(held.address(), other.address(), "port 0 gives each component its own");
        let endpoint = free_address();
        let _a = claims.listen("exporters::prometheus/a", &endpoint).unwrap();
        let kept = claims.carry_over(|owner| owner.ends_with("/a"));
        let error = kept.listen("exporters::prometheus/b", &endpoint).unwrap_err();
        assert_eq!(error.to_string(), format!("cannot listen on {endpoint}: exporters::prometheus/a already does"));
    }

    #[tokio::test]
    async fn a_reserved_address_is_the_services_and_no_components() {
        let sockets = Arc::new(Sockets::default());
        let endpoint = free_address();
        let own = sockets.reserve("service::telemetry::metrics", &endpoint).unwrap();
        let again = sockets.reserve("service::telemetry::metrics", &endpoint).unwrap();
        assert!(Arc::ptr_eq(&own, &again));
        let error = Claims::new(Arc::clone(&sockets)).listen("exporters::prometheus", &endpoint).unwrap_err();
        assert_eq!(error.to_string(), format!("cannot listen on {endpoint}: service::telemetry::metrics already does"));
        drop((own, again));
        let _theirs = Claims::new(Arc::clone(&sockets)).listen("exporters::prometheus", &endpoint).unwrap();
        assert!(sockets.reserve("service::telemetry::metrics", &endpoint).is_err());
    }

    #[tokio::test]
    async fn an_empty_host_is_every_address() {
        let listener = Claims::new(Arc::default()).listen("x", ":0").unwrap();
        assert!(listener.address().ip().is_unspecified());
        std::net::TcpStream::connect(("127.0.0.1", listener.address().port())).unwrap();
    }

    fn free_address() -> String {
        std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
    }

    #[tokio::test]
    async fn an_address_of_another_process_is_named_with_a_hint() {
        let foreign = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = foreign.local_addr().unwrap().to_string();
        let error = Claims::new(Arc::default()).listen("x", &endpoint).unwrap_err();
        assert!(error.to_string().contains("another process has it"), "{error}");
    }
}
