//! The thread that a sink works on.

use std::sync::Arc;
use std::thread::JoinHandle;

use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::{Shared, serve};

/// Ends, with every connection, when dropped.
#[derive(Debug)]
pub(super) struct Thread {
    stop: Option<oneshot::Sender<()>>,
    handle: Option<JoinHandle<()>>,
}

impl Thread {
    /// Listens when it returns.
    pub(super) fn start(port: u16, tls: Option<TlsAcceptor>, shared: Arc<Shared>) -> Self {
        let (stop, stopped) = oneshot::channel();
        let listener = std::net::TcpListener::bind(("127.0.0.1", port)).expect("the port is free");
        listener.set_nonblocking(true).expect("a socket that does not block");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let work = move || {
            runtime.block_on(async {
                let listener = TcpListener::from_std(listener).expect("a listener");
                tokio::select! {
                    () = listen(listener, tls, shared) => {}
                    _ = stopped => {}
                }
            });
        };
        let handle = std::thread::Builder::new().name("otlp-sink".into()).spawn(work).expect("a thread");
        Self { stop: Some(stop), handle: Some(handle) }
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(handle) = self.handle.take()
            && handle.join().is_err()
            && !std::thread::panicking()
        {
            panic!("the sink panicked");
        }
    }
}

/// Connections end with this future.
async fn listen(listener: TcpListener, tls: Option<TlsAcceptor>, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        connections.spawn(serve_one(stream, tls.clone(), Arc::clone(&shared)));
        while let Some(ended) = connections.try_join_next() {
            ended.expect("no panic while serving");
        }
    }
}

async fn serve_one(stream: TcpStream, tls: Option<TlsAcceptor>, shared: Arc<Shared>) {
    let _open = shared.open();
    match tls {
        None => serve::connection(TokioIo::new(stream), shared).await,
        // A client that does not trust us ends the handshake, as it should.
        Some(tls) => {
            if let Ok(stream) = tls.accept(stream).await {
                serve::connection(TokioIo::new(stream), shared).await;
            }
        }
    }
}
