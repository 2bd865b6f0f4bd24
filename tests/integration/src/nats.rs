//! A real server written in Go, under load: nats-server, built from the Go module proxy.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use deferd_fixtures::{newest, workspace};

use crate::process::Running;
use crate::{http, port, wait};

/// What is built. It needs no newer Go than the newest that deferd knows.
const MODULE: &str = "github.com/nats-io/nats-server/v2";
const VERSION: &str = "v2.12.3";

/// Clients that receive, and clients that send.
const SUBSCRIBERS: usize = 20;
const PUBLISHERS: usize = 4;

/// Messages sent before a client waits for the server, and its pause then: bounded, so that others can use the machine too.
const BURST: usize = 64;
const PAUSE: Duration = Duration::from_millis(2);

/// The server, running.
#[derive(Debug)]
pub struct Server {
    running: Running,
    client: SocketAddr,
    profile: SocketAddr,
    monitor: SocketAddr,
}

/// Builds the server with the newest Go, if it is not there yet. The error says what the build said.
pub fn build() -> Result<PathBuf, String> {
    let toolchain = newest();
    let folder = workspace().join("target/go/nats-server").join(format!("{VERSION}-{}", toolchain.version));
    let file = folder.join("nats-server");
    if file.is_file() {
        return Ok(file);
    }
    let mut command = Command::new(&toolchain.go);
    command.args(["install", &format!("{MODULE}@{VERSION}")]).env("GOBIN", &folder).env_remove("GOROOT");
    command.envs([("CGO_ENABLED", "0"), ("GOFLAGS", ""), ("GOTOOLCHAIN", "local"), ("GOWORK", "off")]);
    let output = command.output().map_err(|error| error.to_string())?;
    if output.status.success() { Ok(file) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

impl Server {
    /// Starts it on three free ports and waits until it answers.
    ///
    /// # Panics
    /// If it does not come up.
    pub fn start(file: &PathBuf) -> Self {
        let ports = [port::free(), port::free(), port::free()];
        let [client, profile, monitor] = ports.map(|port| SocketAddr::from(([127, 0, 0, 1], port)));
        let mut command = Command::new(file);
        for (flag, address) in [("--port", client), ("--profile", profile), ("--http_port", monitor)] {
            command.args([flag, &address.port().to_string()]);
        }
        command.args(["--addr", "127.0.0.1"]);
        let mut server = Self { running: Running::start(command), client, profile, monitor };
        wait::until("nats-server is up", || {
            assert!(server.running.is_running(), "nats-server ended: {}", server.running.stderr());
            http::get(server.profile, "/debug/pprof/").is_ok_and(|answer| answer.status == 200).then_some(())
        });
        server
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.running.pid()
    }

    /// The stacks of all goroutines, as the program's own profiler tells them.
    ///
    /// # Panics
    /// If it does not answer.
    pub fn goroutines(&self) -> Stacks {
        let answer = http::get(self.profile, "/debug/pprof/goroutine?debug=2").expect("the profiler answers");
        Stacks(answer.body.split("\n\n").filter(|stack| stack.starts_with("goroutine ")).map(str::to_owned).collect())
    }

    /// Asks the monitoring pages, which take many locks.
    ///
    /// # Panics
    /// If they do not answer.
    pub fn ask_monitor(&self) {
        for path in ["/varz", "/connz?subs=1", "/subsz"] {
            assert_eq!(http::get(self.monitor, path).expect("the monitor answers").status, 200);
        }
    }
}

/// A dump of all goroutines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stacks(Vec<String>);

impl Stacks {
    /// How many goroutines there are, with those that serve the dump itself.
    pub fn count(&self) -> u64 {
        u64::try_from(self.0.len()).unwrap_or(u64::MAX)
    }

    /// How many there are besides those that serve HTTP, which come and go with the questions of the test.
    pub fn count_without_http(&self) -> u64 {
        let is_lasting = |stack: &&String| !stack.contains("\nnet/http.(*conn") || stack.contains("Accept(");
        u64::try_from(self.0.iter().filter(is_lasting).count()).unwrap_or(u64::MAX)
    }

    /// In how many goroutines a function has not returned yet.
    pub fn inside(&self, function: &str) -> u64 {
        let call = format!("\n{function}(");
        u64::try_from(self.0.iter().filter(|stack| stack.contains(&call)).count()).unwrap_or(u64::MAX)
    }
}

/// Clients at work until dropped.
#[derive(Debug)]
pub struct Load {
    over: Arc<AtomicBool>,
    received: Arc<AtomicU64>,
    clients: Vec<JoinHandle<()>>,
}

impl Load {
    /// Starts subscribers, publishers, and one client that comes and goes.
    pub fn start(server: &Server) -> Self {
        let mut load = Self { over: Arc::default(), received: Arc::default(), clients: Vec::new() };
        let address = server.client;
        for _ in 0..SUBSCRIBERS {
            load.spawn(move |over, received| subscribe(address, over, received));
        }
        for _ in 0..PUBLISHERS {
            load.spawn(move |over, _| publish(address, over));
        }
        load.spawn(move |over, _| {
            while !over.load(Ordering::Relaxed) {
                Client::connect(address)?.round_trip()?;
                wait::pause(Duration::from_millis(20));
            }
            Ok(())
        });
        load
    }

    fn spawn(&mut self, work: impl FnOnce(&AtomicBool, &AtomicU64) -> io::Result<()> + Send + 'static) {
        let (over, received) = (Arc::clone(&self.over), Arc::clone(&self.received));
        self.clients.push(std::thread::spawn(move || work(&over, &received).expect("nats-server serves")));
    }

    /// Messages delivered so far.
    pub fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    /// Ends all clients.
    ///
    /// # Panics
    /// If one of them failed.
    pub fn stop(mut self) {
        self.over.store(true, Ordering::Relaxed);
        for client in self.clients.drain(..) {
            client.join().expect("the client worked");
        }
    }
}

impl Drop for Load {
    /// After a failed test: the clients end before the server does, or they would complain about it.
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        for client in self.clients.drain(..) {
            drop(client.join());
        }
    }
}

/// One connection that speaks the server's text protocol.
struct Client {
    reader: BufReader<TcpStream>,
}

impl Client {
    fn connect(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        let mut client = Self { reader: BufReader::new(stream) };
        client.line()?;
        client.send(b"CONNECT {\"verbose\":false,\"pedantic\":false}\r\n")?;
        Ok(client)
    }

    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.reader.get_mut().write_all(bytes)
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        match self.reader.read_line(&mut line)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(line),
        }
    }

    /// Waits until the server has done all that was sent.
    fn round_trip(&mut self) -> io::Result<()> {
        self.send(b"PING\r\n")?;
        while self.line()? != "PONG\r\n" {}
        Ok(())
    }
}

fn publish(address: SocketAddr, over: &AtomicBool) -> io::Result<()> {
    let mut client = Client::connect(address)?;
    let burst = b"PUB orders 5\r\nhello\r\n".repeat(BURST);
    while !over.load(Ordering::Relaxed) {
        client.send(&burst)?;
        client.round_trip()?;
        wait::pause(PAUSE);
    }
    Ok(())
}

/// All subscribers share one queue, so each message is delivered once.
fn subscribe(address: SocketAddr, over: &AtomicBool, received: &AtomicU64) -> io::Result<()> {
    let mut client = Client::connect(address)?;
    client.send(b"SUB orders workers 1\r\n")?;
    while !over.load(Ordering::Relaxed) {
        // A ping of our own brings an answer even when there is no message.
        client.send(b"PING\r\n")?;
        loop {
            let line = client.line()?;
            if line == "PONG\r\n" {
                break;
            }
            if line.starts_with("MSG ") {
                client.line()?;
                received.fetch_add(1, Ordering::Relaxed);
            }
        }
        wait::pause(PAUSE);
    }
    Ok(())
}
