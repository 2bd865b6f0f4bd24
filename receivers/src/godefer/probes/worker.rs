//! The thread that probes.

use std::collections::BTreeMap;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::{Duration, Instant};

use deferd_bpf::{Event, PanicRecord};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::super::config::Probes as Config;
use super::super::schedule::Process;
use super::effort::Effort;
use super::host::Host;
use super::logs::Outlet;
use super::probed::Probed;
use super::prober::{Order, Shared, Status, Subject};

/// How often counts are read and costs are settled.
const TURN: Duration = Duration::from_secs(1);
/// Events taken at once, so that a flood of them does not keep everything else waiting.
const EVENTS: usize = 4096;

/// Everything the thread owns.
pub(super) struct Worker {
    config: Config,
    /// What deferd may spend on looking, in CPU seconds a second.
    share: f64,
    orders: Receiver<Order>,
    shared: Arc<Shared>,
    outlet: Outlet,
    targets: BTreeMap<Process, Probed>,
    by_slot: BTreeMap<u32, Process>,
    turn: Instant,
}

impl Worker {
    pub(super) fn new(config: Config, share: f64, orders: Receiver<Order>, shared: Arc<Shared>, outlet: Outlet) -> Self {
        let (targets, by_slot) = (BTreeMap::new(), BTreeMap::new());
        Self { config, share, orders, shared, outlet, targets, by_slot, turn: Instant::now() }
    }

    /// Until the orders end.
    pub(super) fn run(mut self) {
        let mut host = match Host::start() {
            Ok(host) => host,
            Err(error) => {
                *self.shared.status.lock() = Status::Failed(error.reason(), error.to_string());
                self.wait_for_the_end();
                return;
            }
        };
        *self.shared.status.lock() = Status::Works;
        let mut effort = Effort::new(self.share, host.probes.keeper_pid(), Instant::now());
        host.set_timer(self.frequency());
        while self.obey(&mut host) {
            if host.probes.have_lost_their_keeper() {
                self.give_up(host);
                return;
            }
            effort.set_share(self.share, Instant::now());
            self.hear(&mut host);
            let now = Instant::now();
            if now >= self.turn {
                self.turn = now + TURN;
                self.take_turn(&mut host, now);
            }
            if effort.solvent_at(now) <= now {
                self.open_windows(&mut host);
            }
            let now = Instant::now();
            let spent = effort.settle(now);
            self.shared.spent.store(u64::try_from(spent.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
            self.wait(effort.solvent_at(now), &mut host);
        }
        self.leave(host);
    }

    /// Breakpoints go with the targets, and slots are as if nobody had been there.
    fn leave(&mut self, mut host: Host) {
        for process in self.targets.keys().copied().collect::<Vec<_>>() {
            self.forget(process, &mut host);
        }
        host.end();
    }

    /// There are no probes any more. Not as if nothing had happened, with breakpoints placed by this process: what a kill would leave
    /// then was promised away.
    fn give_up(&mut self, host: Host) {
        let told = "the process that holds the breakpoints is gone, and they with it: restart deferd";
        *self.shared.status.lock() = Status::Failed("keeper_gone", told.to_owned());
        self.leave(host);
        self.wait_for_the_end();
    }

    /// Nothing can be done for anybody; the handle asks us to end by closing the channel.
    fn wait_for_the_end(&self) {
        while self.orders.recv().is_ok() {}
    }

    fn frequency(&self) -> Option<u32> {
        let timer = &self.config.timer;
        (self.config.enabled && timer.enabled).then_some(timer.frequency)
    }

    /// Whether there may be more orders.
    fn obey(&mut self, host: &mut Host) -> bool {
        loop {
            match self.orders.try_recv() {
                Ok(Order::Configure(config, share)) => {
                    (self.config, self.share) = (config, share);
                    host.set_timer(self.frequency());
                    for probed in self.targets.values_mut() {
                        probed.configure(&self.config, host);
                    }
                }
                Ok(Order::Watch(subject)) => self.watch(*subject, host),
                Ok(Order::Report(process, answer)) => {
                    if let Some(probed) = self.targets.get_mut(&process) {
                        // Whoever asked may have given up; then the next report covers this time too.
                        let _ = answer.try_send(probed.report(host, &self.config));
                    }
                }
                Ok(Order::FilesGrow(process, grow)) => {
                    if let Some(probed) = self.targets.get_mut(&process) {
                        probed.files_grow(grow, host, &self.config);
                    }
                }
                Ok(Order::Forget(process)) => self.forget(process, host),
                Err(TryRecvError::Empty) => return true,
                Err(TryRecvError::Disconnected) => return false,
            }
        }
    }

    fn watch(&mut self, subject: Subject, host: &mut Host) {
        let process = subject.process;
        self.forget(process, host);
        let Some(slot) = host.take_slot() else {
            tracing::debug!("no probes in process {}: too many are probed already", process.0);
            return;
        };
        let mut probed = Probed::new(subject, slot, &self.config, host);
        probed.configure(&self.config, host);
        self.by_slot.insert(slot, process);
        self.targets.insert(process, probed);
    }

    fn forget(&mut self, process: Process, host: &mut Host) {
        if self.targets.contains_key(&process) {
            // What killed it was recorded before it ended, and nobody could be told any more.
            self.hear(host);
        }
        if let Some(probed) = self.targets.remove(&process) {
            let slot = probed.slot();
            probed.unsample(host);
            self.by_slot.remove(&slot);
            // Removes the breakpoints, before the slot is another's.
            drop(probed);
            if let Ok(usage) = host.probes.usage(slot) {
                self.outlet.losses.add_usage(slot, usage);
            }
            self.outlet.losses.forget(slot);
            host.free_slot(slot);
        }
    }

    /// Takes what the programs tell.
    fn hear(&mut self, host: &mut Host) {
        let mut panics: BTreeMap<u32, Vec<PanicRecord>> = BTreeMap::new();
        for _ in 0..EVENTS {
            let Some(event) = host.probes.events().next_event() else { break };
            match event {
                Event::Panic(record) => panics.entry(record.slot).or_default().push(*record),
                Event::Over { slot, is_panic } => {
                    if let Some(probed) = self.by_slot.get(&slot).and_then(|process| self.targets.get_mut(process)) {
                        probed.over(is_panic, host, &self.config);
                    }
                }
                Event::Tick { slot, pc, chain } => {
                    if let Some(probed) = self.by_slot.get(&slot).and_then(|process| self.targets.get_mut(process)) {
                        probed.sample(pc, chain);
                    }
                }
                Event::SelfTest { .. } => {}
            }
        }
        for (slot, records) in panics {
            let Some(probed) = self.by_slot.get(&slot).and_then(|process| self.targets.get_mut(process)) else { continue };
            for entry in probed.tell(&records, &self.config) {
                self.outlet.send(entry);
            }
        }
    }

    fn take_turn(&mut self, host: &mut Host, now: Instant) {
        host.probes.refresh();
        for probed in self.targets.values_mut() {
            probed.settle(now, host, &self.config);
            self.outlet.losses.add_usage(probed.slot(), probed.usage());
        }
    }

    /// Opens the windows that are due, one after the other.
    fn open_windows(&mut self, host: &mut Host) {
        let now = Instant::now();
        let due = |probed: &Probed| probed.window_due().is_some_and(|due| due <= now);
        let processes: Vec<Process> =
            self.targets.iter().filter(|(_, probed)| due(probed)).map(|(process, _)| *process).collect();
        for process in processes {
            // In between, so that nobody waits for all of them.
            self.hear(host);
            if let Some(probed) = self.targets.get_mut(&process) {
                probed.window(host, &self.config);
            }
        }
    }

    /// Until there is something to do. There are no windows before `solvent`.
    fn wait(&mut self, solvent: Instant, host: &mut Host) {
        let windows = self.targets.values().filter_map(Probed::window_due).map(|due| due.max(solvent));
        let next = windows.min().map_or(self.turn, |due| due.min(self.turn));
        let left = next.saturating_duration_since(Instant::now());
        let timeout = Timespec { tv_sec: i64::try_from(left.as_secs()).unwrap_or(0), tv_nsec: left.subsec_nanos().into() };
        let mut ready = vec![
            PollFd::from_borrowed_fd(self.shared.wake.as_fd(), PollFlags::IN),
            PollFd::from_borrowed_fd(host.probes.events_fd(), PollFlags::IN),
        ];
        // For its end alone, which needs no asking for.
        ready.extend(host.probes.keeper_fd().map(|keeper| PollFd::from_borrowed_fd(keeper, PollFlags::empty())));
        // An error is as good as being woken: everything is looked at, at the latest after a turn.
        if poll(&mut ready, Some(&timeout)).is_err() {
            #[expect(clippy::disallowed_methods, reason = "so that a poll that fails does not become a busy loop")]
            std::thread::sleep(Duration::from_millis(10));
        }
        let mut counter = [0; 8];
        let _ = rustix::io::read(&self.shared.wake, &mut counter);
    }
}
