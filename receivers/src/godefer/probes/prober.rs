//! The handle on the thread that probes.

use std::os::fd::OwnedFd;
use std::sync::Arc;
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
    Configure(Probes),
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

/// The thread, which ends with this.
#[derive(Debug)]
pub(crate) struct Prober {
    orders: Option<SyncSender<Order>>,
    wake: Arc<OwnedFd>,
    status: Arc<Mutex<Status>>,
    thread: Option<JoinHandle<()>>,
}

impl Subject {
    pub(crate) fn new(process: Process, target: &Target, resource: Arc<EncodedAttributes>) -> Self {
        let (image, memory) = (Arc::clone(target.image()), target.memory().clone());
        Self { process, image, bias: target.load_bias(), memory, resource }
    }
}

impl Prober {
    /// Starts the thread, whose records go to `outlet`.
    pub(crate) fn start(config: Probes, outlet: Outlet) -> std::io::Result<Self> {
        let wake = Arc::new(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?);
        let status = Arc::new(Mutex::new(Status::Starting));
        let (orders, received) = sync_channel(ORDERS);
        let worker = Worker::new(config, received, Arc::clone(&wake), Arc::clone(&status), outlet);
        let thread = std::thread::Builder::new().name("deferd-probes".to_owned()).spawn(move || worker.run())?;
        Ok(Self { orders: Some(orders), wake, status, thread: Some(thread) })
    }

    pub(crate) fn status(&self) -> Status {
        self.status.lock().clone()
    }

    pub(crate) fn configure(&self, config: Probes) {
        self.order(Order::Configure(config));
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
        let _ = rustix::io::write(&*self.wake, &1_u64.to_ne_bytes());
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
