//! The handle on the thread that probes.

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use deferd_goproc::image::Image;
use deferd_goproc::memory::AnyMemory;
use deferd_goproc::target::Target;
use deferd_pdata::build::EncodedAttributes;
use parking_lot::Mutex;
use rustix::event::{EventfdFlags, eventfd};

use super::super::config::Probes;
use super::super::schedule::Process;
use super::figures::Figures;
use super::logs::Outlet;
use super::worker::Worker;

/// Orders under way. The thread may be busy with a window for a tenth of a second, in which a discovery finds many processes.
const ORDERS: usize = 4096;

/// A window takes a tenth of a second; a look that waited longer would be about another time than what it waited for.
const PATIENCE: Duration = Duration::from_millis(250);

/// A process as the probes need to know it.
#[derive(Debug)]
pub(crate) struct Subject {
    pub(super) process: Process,
    pub(super) image: Arc<Image>,
    pub(super) bias: u64,
    pub(super) memory: AnyMemory,
    pub(super) resource: Arc<EncodedAttributes>,
}

/// What the thread is asked to do.
#[derive(Debug)]
pub(super) enum Order {
    /// With what deferd may spend on looking, in CPU seconds a second.
    Configure(Probes, f64),
    Watch(Box<Subject>),
    Forget(Process),
    /// What was found since the last report.
    Report(Process, SyncSender<Figures>),
    /// Whether the number of its open files grows.
    FilesGrow(Process, bool),
}

/// How the probes are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Status {
    /// The programs are being loaded.
    Starting,
    /// They work.
    Works,
    /// There are none; reason and text for health.
    Failed(&'static str, String),
}

/// What the thread and its handle both have.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) wake: OwnedFd,
    pub(super) status: Mutex<Status>,
    /// Nanoseconds of CPU time that probing has cost deferd.
    pub(super) spent: AtomicU64,
}

/// The thread, which ends with this.
#[derive(Debug)]
pub(crate) struct Prober {
    orders: Option<SyncSender<Order>>,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Subject {
    pub(crate) fn new(process: Process, target: &Target, resource: Arc<EncodedAttributes>) -> Self {
        let (image, memory) = (Arc::clone(target.image()), target.memory().clone());
        Self { process, image, bias: target.load_bias(), memory, resource }
    }
}

impl Prober {
    /// Starts the thread, whose records go to `outlet`. `share` is what deferd may spend on looking, in CPU seconds a second.
    pub(crate) fn start(config: Probes, share: f64, outlet: Outlet) -> std::io::Result<Self> {
        let wake = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        let shared = Arc::new(Shared { wake, status: Mutex::new(Status::Starting), spent: AtomicU64::new(0) });
        let (orders, received) = sync_channel(ORDERS);
        let worker = Worker::new(config, share, received, Arc::clone(&shared), outlet);
        let thread = std::thread::Builder::new().name("deferd-probes".to_owned()).spawn(move || worker.run())?;
        Ok(Self { orders: Some(orders), shared, thread: Some(thread) })
    }

    pub(crate) fn status(&self) -> Status {
        self.shared.status.lock().clone()
    }

    /// CPU time that probing has cost deferd, without its start.
    pub(crate) fn spent(&self) -> Duration {
        Duration::from_nanos(self.shared.spent.load(Ordering::Relaxed))
    }

    pub(crate) fn configure(&self, config: Probes, share: f64) {
        self.order(Order::Configure(config, share));
    }

    pub(crate) fn watch(&self, subject: Subject) {
        self.order(Order::Watch(Box::new(subject)));
    }

    pub(crate) fn forget(&self, process: Process) {
        self.order(Order::Forget(process));
    }

    /// What was found about a process since this was last asked, up to now. `None` if the thread is busy, as with a window.
    pub(crate) fn figures(&self, process: Process) -> Option<Figures> {
        let (answer, answered) = sync_channel(1);
        self.order(Order::Report(process, answer));
        answered.recv_timeout(PATIENCE).ok()
    }

    pub(crate) fn files_grow(&self, process: Process, grow: bool) {
        self.order(Order::FilesGrow(process, grow));
    }

    /// Waits for room, which there is as soon as the thread comes round.
    fn order(&self, order: Order) {
        if let Some(orders) = &self.orders {
            // It fails only if the thread has ended, and then there is nothing to be done.
            let _ = orders.send(order);
        }
        self.rouse();
    }

    fn rouse(&self) {
        // It is full only if the thread has not looked for ages, and then it has been woken already.
        let _ = rustix::io::write(&self.shared.wake, &1_u64.to_ne_bytes());
    }
}

impl Drop for Prober {
    fn drop(&mut self) {
        // The end of the channel is the order to end.
        self.orders = None;
        self.rouse();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
