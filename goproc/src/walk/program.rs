//! A program at the address where it runs: layout, variables, and what has been learnt about its code.

use std::collections::HashMap;

use super::code::{Code, DeferCall, OpenCoded};
use crate::layout::Layout;
use crate::snapshot::{DeferKind, SiteName};

/// Verdicts about addresses kept at most. Far above what any program has (the `go` command has 99 sites); only
/// garbage read from a hostile process gets there, and then the verdicts are made again.
const MAX_VERDICTS: usize = 1 << 16;

/// Link-time addresses of the runtime's variables, 0-based to the program file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Globals {
    /// `runtime.allglen` and `runtime.allgptr`, the pair the runtime publishes for lock-free readers.
    pub allg: Option<AllgPair>,
    /// The slice `runtime.allgs`, a fallback: its words can be torn while it grows.
    pub allgs: Option<u64>,
    /// `runtime.sched`.
    pub sched: Option<u64>,
    /// `runtime.memstats`.
    pub memstats: Option<u64>,
    /// `runtime.gcController`.
    pub gc_controller: Option<u64>,
}

/// Addresses of `runtime.allglen` and `runtime.allgptr`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AllgPair {
    /// `runtime.allglen`.
    pub length: u64,
    /// `runtime.allgptr`.
    pub pointer: u64,
}

/// What groups pending calls while walking. Run-time addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SiteKey {
    /// The pc of the record, which is the return address of the registering call; for an open-coded defer, the
    /// instruction that filled its slot or, if that is not known, a pc in its frame.
    pub pc: u64,
    /// Entry of the closure's code.
    pub code: u64,
    /// How it was registered.
    pub kind: DeferKind,
}

/// A program, loaded. Learns its sites as they are seen, so that later looks only count.
#[derive(Debug)]
pub struct Program<C> {
    code: C,
    bias: u64,
    layout: Layout,
    globals: Globals,
    calls: HashMap<u64, Option<DeferCall>>,
    entries: HashMap<u64, bool>,
    system: HashMap<u64, bool>,
    open_coded: HashMap<u64, Option<OpenCoded>>,
    site_ids: HashMap<SiteKey, usize>,
    name_ids: HashMap<SiteName, usize>,
    names: Vec<SiteName>,
}

impl<C: Code> Program<C> {
    /// `code`, loaded `bias` bytes above its link-time addresses (wrapping: 0 for a program that is not PIE).
    pub fn new(code: C, bias: u64, layout: Layout, globals: Globals) -> Self {
        Self {
            code,
            bias,
            layout,
            globals,
            calls: HashMap::new(),
            entries: HashMap::new(),
            system: HashMap::new(),
            open_coded: HashMap::new(),
            site_ids: HashMap::new(),
            name_ids: HashMap::new(),
            names: Vec::new(),
        }
    }

    /// The layout of its Go version.
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// Link-time addresses of the runtime's variables.
    pub fn globals(&self) -> Globals {
        self.globals
    }

    /// The run-time address of a link-time address.
    pub fn at(&self, link_address: u64) -> u64 {
        link_address.wrapping_add(self.bias)
    }

    /// The link-time address of a run-time address.
    pub fn link(&self, address: u64) -> u64 {
        address.wrapping_sub(self.bias)
    }

    /// Whether `address` is in the Go text.
    pub fn in_text(&self, address: u64) -> bool {
        self.code.text().contains(&self.link(address))
    }

    /// Whether `address` is in what the program file maps.
    pub fn is_static(&self, address: u64) -> bool {
        self.code.mapped().contains(&self.link(address))
    }

    /// What the call returning to `pc` registers.
    pub fn defer_call_before(&mut self, pc: u64) -> Option<DeferCall> {
        let link = self.link(pc);
        let code = &self.code;
        learn(&mut self.calls, pc, || code.defer_call_before(link))
    }

    /// Whether `pc` is the entry of a function.
    pub fn is_function_entry(&mut self, pc: u64) -> bool {
        let link = self.link(pc);
        let code = &self.code;
        learn(&mut self.entries, pc, || code.is_function_entry(link))
    }

    /// Whether `NumGoroutine` leaves out a goroutine started at `pc`.
    pub fn is_system_goroutine(&mut self, pc: u64) -> bool {
        let link = self.link(pc);
        let code = &self.code;
        learn(&mut self.system, pc, || code.is_system_goroutine(link))
    }

    /// Where the function around `pc` keeps its open-coded defers. Run-time addresses.
    pub fn open_coded(&mut self, pc: u64) -> Option<OpenCoded> {
        let link = self.link(pc);
        let (code, bias) = (&self.code, self.bias);
        learn(&mut self.open_coded, pc, || {
            let mut found = code.open_coded(link)?;
            for statement in found.statements.iter_mut().flatten() {
                *statement = statement.wrapping_add(bias);
            }
            Some(found)
        })
    }

    /// A small number for the site of `key`, the same for keys with equal names.
    pub fn site_id(&mut self, key: SiteKey) -> usize {
        if let Some(id) = self.site_ids.get(&key) {
            return *id;
        }
        let name = self.describe(key);
        let next = self.names.len();
        let id = *self.name_ids.entry(name.clone()).or_insert(next);
        if id == next {
            self.names.push(name);
        }
        self.site_ids.insert(key, id);
        id
    }

    /// The name behind a number from [`site_id`](Self::site_id).
    pub fn site_name(&self, id: usize) -> Option<&SiteName> {
        self.names.get(id)
    }

    /// Forgets all sites when there are too many to be true; to be called between looks, for it renumbers them.
    pub fn forget_excess_sites(&mut self) {
        if self.site_ids.len() > MAX_VERDICTS {
            self.site_ids.clear();
            self.name_ids.clear();
            self.names.clear();
        }
    }

    fn describe(&self, key: SiteKey) -> SiteName {
        let closure = self.link(key.code);
        let location = self.code.location(key.kind, self.link(key.pc), closure);
        SiteName {
            function: location.function,
            file: location.file,
            line: location.line,
            callee: self.code.callee(closure),
            kind: key.kind,
        }
    }
}

/// The verdict about `address`, made once.
fn learn<V: Copy>(known: &mut HashMap<u64, V>, address: u64, find_out: impl FnOnce() -> V) -> V {
    if let Some(verdict) = known.get(&address) {
        return *verdict;
    }
    if known.len() >= MAX_VERDICTS {
        known.clear();
    }
    let verdict = find_out();
    known.insert(address, verdict);
    verdict
}
