//! A webhook for a real Alertmanager: it writes down what people would have been told.
//!
//! A server of the standard library and one thread: the sender is one program, on loopback, and asks for nothing but an answer.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use serde::Deserialize;

use crate::alertmanager::Labels;

/// Longest wait for the sender in the middle of a request.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Largest body read.
const MAX_BODY: usize = 4 << 20;

/// One alert of one notification.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Told {
    /// `firing` or `resolved`.
    pub status: String,
    /// The identity, as Alertmanager digests it.
    pub fingerprint: String,
    /// The labels.
    pub labels: Labels,
    /// What was said about it.
    #[serde(default)]
    pub annotations: Labels,
}

/// What Alertmanager posts, as far as tests look at it.
#[derive(Debug, Deserialize)]
struct Notification {
    alerts: Vec<Told>,
}

/// The recorder, listening until dropped.
#[derive(Debug)]
pub struct Recorder {
    address: SocketAddr,
    told: Arc<Mutex<Vec<Told>>>,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Recorder {
    /// Listens on a port that the kernel chooses.
    ///
    /// # Panics
    /// If it cannot.
    pub fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let address = listener.local_addr().expect("an address");
        let (told, over) = (Arc::<Mutex<Vec<Told>>>::default(), Arc::<AtomicBool>::default());
        let (all, ends) = (Arc::clone(&told), Arc::clone(&over));
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if ends.load(Ordering::Relaxed) {
                    return;
                }
                // A request that breaks off is the sender's to repeat.
                if let Ok(alerts) = stream.and_then(|stream| answer(&stream)) {
                    all.lock().unwrap_or_else(PoisonError::into_inner).extend(alerts);
                }
            }
        });
        Self { address, told, over, thread: Some(thread) }
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// Everything that was told so far, in this order.
    pub fn told(&self) -> Vec<Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How often it was told that an alert fires, and how often that one is resolved, whichever alert it is.
    pub fn counts(&self) -> (usize, usize) {
        let told = self.told();
        let count = |status| told.iter().filter(|told| told.status == status).count();
        (count("firing"), count("resolved"))
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        // Wakes the thread; if that fails it has ended already.
        drop(TcpStream::connect(self.address));
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

/// Reads one request and says yes to it.
fn answer(stream: &TcpStream) -> io::Result<Vec<Told>> {
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        match line.trim_end().split_once(':') {
            None if line.trim_end().is_empty() => break,
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => length = value.trim().parse().unwrap_or(0),
            _ => {}
        }
    }
    let mut body = vec![0; usize::min(length, MAX_BODY)];
    reader.read_exact(&mut body)?;
    let notification: Notification = serde_json::from_slice(&body)?;
    let mut stream = stream;
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")?;
    Ok(notification.alerts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wait;

    fn post(recorder: &Recorder, body: &str) -> io::Result<String> {
        let mut stream = TcpStream::connect(recorder.address)?;
        write!(stream, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{body}", body.len())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    }

    #[test]
    fn what_is_posted_is_counted_by_status() {
        let recorder = Recorder::start();
        let alert = |status| format!(r#"{{"status":"{status}","fingerprint":"1","labels":{{"alertname":"a"}}}}"#);
        let body = format!(r#"{{"version":"4","alerts":[{},{}]}}"#, alert("firing"), alert("resolved"));
        assert!(post(&recorder, &body).unwrap().starts_with("HTTP/1.1 200"));
        wait::until("it is written down", || (recorder.counts() == (1, 1)).then_some(()));
        assert!(post(&recorder, "no JSON").is_ok_and(|answer| answer.is_empty()));
        assert_eq!(recorder.told().len(), 2);
    }
}
