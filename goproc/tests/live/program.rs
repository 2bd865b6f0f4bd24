//! The fixture `tests/go/walk` as a running process that answers for itself.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use deferd_goproc::snapshot::{Site, Snapshot, SnapshotOptions};
use deferd_goproc::target::{AttachError, Target};

use deferd_fixtures::{Mode, Toolchain, binary};

/// Longest wait for anything; a machine shared by many is slow.
const DEADLINE: Duration = Duration::from_secs(30);

/// A running fixture; killed when dropped.
pub(crate) struct Program {
    child: Child,
    stdin: ChildStdin,
    replies: BufReader<ChildStdout>,
}

/// What the program says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) goroutines: u64,
    /// Pending defers by function.
    pub(crate) pending: BTreeMap<String, u64>,
    pub(crate) leak_begun: u64,
    pub(crate) leak_done: u64,
    pub(crate) gc_cycles: u64,
    pub(crate) gc_pause: Duration,
    pub(crate) heap_goal: u64,
}

impl Program {
    pub(crate) fn start(path: &Path) -> Self {
        Self::start_with(Command::new(path))
    }

    pub(crate) fn start_with(mut command: Command) -> Self {
        let spawned = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = spawned.expect("the fixture starts");
        let stdin = child.stdin.take().expect("a pipe");
        let replies = BufReader::new(child.stdout.take().expect("a pipe"));
        Self { child, stdin, replies }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Gives a command and returns the answer, after which it is in place.
    pub(crate) fn ask(&mut self, command: &str) -> Answer {
        writeln!(self.stdin, "{command}").expect("the fixture listens");
        let mut line = String::new();
        self.replies.read_line(&mut line).expect("the fixture answers");
        let reply: serde_json::Value = serde_json::from_str(&line).expect("JSON");
        assert_eq!(reply.get("error"), None, "{command}");
        let number = |name: &str| reply[name].as_u64().expect("a count");
        let pending = reply["pending"].as_object().expect("a map").iter();
        Answer {
            goroutines: number("goroutines"),
            pending: pending.map(|(name, count)| (name.clone(), count.as_u64().expect("a count"))).collect(),
            leak_begun: number("leak_begun"),
            leak_done: number("leak_done"),
            gc_cycles: number("num_gc"),
            gc_pause: Duration::from_nanos(number("pause_ns")),
            heap_goal: number("next_gc"),
        }
    }

    /// Attaches, once the program is up.
    pub(crate) fn attach(&self) -> Target {
        self.attach_when_ready().unwrap_or_else(|error| panic!("{error}"))
    }

    /// Attaches as soon as it can be; the errors on the way may only be those of a program that is starting.
    pub(crate) fn attach_when_ready(&self) -> Result<Target, AttachError> {
        let begin = Instant::now();
        loop {
            match Target::attach(self.pid()) {
                // Before its exec, the child is a copy of this test.
                Err(AttachError::NotReady { .. } | AttachError::NotGo { .. } | AttachError::Gone { .. })
                    if begin.elapsed() < DEADLINE =>
                {
                    std::thread::yield_now();
                }
                result => return result,
            }
        }
    }

    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("it is ours");
        self.child.wait().expect("it ended");
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Looks until `enough` says so; the last look is returned and must satisfy it before the deadline.
pub(crate) fn look_until(target: &mut Target, enough: impl Fn(&Snapshot) -> bool) -> Snapshot {
    let begin = Instant::now();
    loop {
        let snapshot = look(target);
        if enough(&snapshot) {
            return snapshot;
        }
        assert!(begin.elapsed() < DEADLINE, "{snapshot:#?}");
    }
}

pub(crate) fn look(target: &mut Target) -> Snapshot {
    target.snapshot(&SnapshotOptions::default()).unwrap_or_else(|error| panic!("{error}"))
}

/// Pending defers by function of the fixture's own package; the standard library has some too, while it reads.
pub(crate) fn by_function(snapshot: &Snapshot) -> BTreeMap<String, u64> {
    let mut found = BTreeMap::new();
    let own = |site: &&Site| site.name.function.starts_with("main.");
    for site in snapshot.sites.iter().filter(own) {
        *found.entry(site.name.function.clone()).or_default() += site.pending;
    }
    found
}

/// The plain build of the newest Go that is here.
pub(crate) fn newest() -> Program {
    start(deferd_fixtures::newest(), Mode::Plain)
}

pub(crate) fn start(toolchain: &Toolchain, mode: Mode) -> Program {
    Program::start(&binary("walk", toolchain, mode))
}
