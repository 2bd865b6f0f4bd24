//! A made-up Go 1.26 program: a few functions, goroutines and records at addresses of our choice.

use std::ops::Range;

use super::super::{AllgPair, Code, DeferCall, Globals, Location, OpenCoded, Program, WalkError, take};
use crate::layout::{GLayout, Layout, RecordLayout};
use crate::memory::fake::FakeMemory;
use crate::snapshot::{DeferKind, Doubt, Snapshot, SnapshotOptions};

pub(super) const LOOP_PC: u64 = 0x40_1105;
pub(super) const STACK_PC: u64 = 0x40_1205;
pub(super) const RANGE_PC: u64 = 0x40_1305;
/// A function without a frame of interest, and one with open-coded defers.
pub(super) const PLAIN: u64 = 0x40_2000;
pub(super) const OPEN: u64 = 0x40_3000;
/// Entries that closures may have as code.
pub(super) const CALLEE: u64 = 0x40_4000;
const SYSTEM: u64 = 0x40_5000;
pub(super) const USER: u64 = 0x40_6000;

const ALLGLEN: u64 = 0x50_0000;
const ALLGPTR: u64 = 0x50_0008;
pub(super) const SCHED: u64 = 0x50_0100;
const ARRAY: u64 = 0xc0_0000_0000;
const GOROUTINES: u64 = 0xc0_1000_0000;
const STACKS: u64 = 0xc0_2000_0000;
pub(super) const STACK_SIZE: u64 = 0x4000;
pub(super) const HEAP: u64 = 0xc0_3000_0000;

pub(super) const WAITING: u32 = 4;
pub(super) const RUNNING: u32 = 2;
pub(super) const DEAD: u32 = 6;
pub(super) const SCANNED: u32 = 0x1000;

/// Addresses in, verdicts out.
#[derive(Debug)]
pub(super) struct FakeCode;

impl Code for FakeCode {
    fn text(&self) -> Range<u64> {
        0x40_0000..0x41_0000
    }

    fn mapped(&self) -> Range<u64> {
        0x40_0000..0x60_0000
    }

    fn defer_call_before(&self, return_pc: u64) -> Option<DeferCall> {
        match return_pc {
            LOOP_PC => Some(DeferCall::Heap),
            STACK_PC => Some(DeferCall::Stack),
            RANGE_PC => Some(DeferCall::RangeFunc),
            _ => None,
        }
    }

    fn is_function_entry(&self, pc: u64) -> bool {
        [PLAIN, OPEN, CALLEE, SYSTEM, USER].contains(&pc)
    }

    fn is_system_goroutine(&self, start_pc: u64) -> bool {
        start_pc == SYSTEM
    }

    fn open_coded(&self, pc: u64) -> Option<OpenCoded> {
        let slots = [Some(0x20), Some(0x18), None, None, None, None, None, None];
        (OPEN..OPEN + 0x100).contains(&pc).then_some(OpenCoded { bits: 9, slots, statements: [None; OpenCoded::MAX] })
    }

    fn location(&self, kind: DeferKind, pc: u64, _: u64) -> Location {
        let line = if kind == DeferKind::OpenCoded { pc & 0xff00 } else { pc & 0xffff };
        Location { function: "main.f".to_owned(), file: "main.go".to_owned(), line: u32::try_from(line).unwrap() }
    }

    fn callee(&self, entry: u64) -> String {
        format!("callee_{entry:x}")
    }
}

/// A program under construction. Starts with one of the runtime's own goroutines.
pub(super) struct World {
    pub(super) memory: FakeMemory,
    count: u64,
    next_record: u64,
    pub(super) layout: Layout,
}

impl World {
    pub(super) fn new() -> Self {
        let mut world = Self { memory: FakeMemory::default(), count: 0, next_record: HEAP, layout: Layout::of(26).unwrap() };
        world.memory.write_word(SCHED, 1_000_000);
        world.goroutine(WAITING);
        let address = World::g(0);
        world.memory.write_word(address + world.layout.g.start_pc as u64, SYSTEM);
        world
    }

    /// Address of goroutine `index`.
    pub(super) fn g(index: u64) -> u64 {
        GOROUTINES + index * 480
    }

    /// Lowest address of the stack of goroutine `index`.
    pub(super) fn stack(index: u64) -> u64 {
        STACKS + index * STACK_SIZE
    }

    /// Adds a goroutine with `status` and no defers; returns its index.
    pub(super) fn goroutine(&mut self, status: u32) -> u64 {
        let index = self.count;
        self.count += 1;
        let (g, stack, layout) = (Self::g(index), Self::stack(index), self.layout.g);
        let memory = &mut self.memory;
        memory.write_word(ARRAY + index * 8, g);
        memory.write_word(ALLGPTR, ARRAY);
        memory.write_word(ALLGLEN, self.count);
        memory.write(g, &[0; GLayout::READ]);
        memory.write_word(g + GLayout::STACK_LO as u64, stack);
        memory.write_word(g + GLayout::STACK_HI as u64, stack + STACK_SIZE);
        memory.write_word(g + GLayout::SCHED_SP as u64, stack + 0x3000);
        memory.write_word(g + GLayout::SCHED_PC as u64, PLAIN + 8);
        memory.write_word(g + layout.goid as u64, index + 1);
        memory.write_word(g + layout.start_pc as u64, USER);
        memory.write(g + layout.status as u64, &status.to_le_bytes());
        memory.write(g + layout.wait_reason as u64, &[14]);
        index
    }

    pub(super) fn set_g(&mut self, index: u64, field: usize, word: u64) {
        let address = Self::g(index) + field as u64;
        self.memory.write_word(address, word);
    }

    pub(super) fn set_all_length(&mut self, length: u64) {
        self.memory.write_word(ALLGLEN, length);
    }

    /// Puts a chain of `length` loop defers on goroutine `index`; returns the addresses, the youngest first.
    pub(super) fn chain(&mut self, index: u64, length: u64) -> Vec<u64> {
        let closure = self.closure(CALLEE);
        let sp = Self::stack(index) + 0x3800;
        let records: Vec<u64> = (0..length).map(|_| self.reserve(48)).collect();
        for (position, record) in records.iter().enumerate() {
            let link = records.get(position + 1).copied().unwrap_or(0);
            self.record(*record, [true, false], sp, LOOP_PC, closure, link);
        }
        self.set_g(index, GLayout::DEFER, records.first().copied().unwrap_or(0));
        records
    }

    /// Writes a record with the flags `heap` and `rangefunc`.
    pub(super) fn record(&mut self, address: u64, flags: [bool; 2], sp: u64, pc: u64, function: u64, link: u64) {
        self.memory.write(address, &flags.map(u8::from));
        self.memory.write_word(address + RecordLayout::SP as u64, sp);
        self.memory.write_word(address + RecordLayout::PC as u64, pc);
        self.memory.write_word(address + RecordLayout::FN as u64, function);
        self.memory.write_word(address + self.layout.record.link as u64, link);
        self.memory.write_word(address + self.layout.record.head as u64, 0);
    }

    /// A closure on the heap with code at `entry`.
    pub(super) fn closure(&mut self, entry: u64) -> u64 {
        let closure = self.reserve(16);
        self.memory.write_word(closure, entry);
        closure
    }

    pub(super) fn reserve(&mut self, bytes: u64) -> u64 {
        let address = self.next_record;
        self.next_record += bytes;
        address
    }

    pub(super) fn program(&self) -> Program<FakeCode> {
        let allg = Some(AllgPair { length: ALLGLEN, pointer: ALLGPTR });
        let globals = Globals { allg, sched: Some(SCHED), ..Globals::default() };
        Program::new(FakeCode, 0, self.layout, globals)
    }

    pub(super) fn try_take(&self, options: &SnapshotOptions) -> Result<Snapshot, WalkError> {
        take(&mut self.program(), &self.memory, options)
    }

    pub(super) fn take(&self) -> Snapshot {
        self.try_take(&SnapshotOptions::default()).unwrap()
    }

    /// Takes a snapshot in which one goroutine must be doubted, and returns why.
    pub(super) fn doubt(&self) -> Doubt {
        let snapshot = self.take();
        assert_eq!(snapshot.unverified.goroutines, 1, "{snapshot:?}");
        assert_eq!(snapshot.sites, [], "a doubtful chain must not be counted");
        assert_eq!(snapshot.chains.max, 0);
        snapshot.unverified.reasons[0].0
    }
}
