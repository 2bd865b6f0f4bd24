//! What stands still is counted exactly.

use super::super::{WalkError, check};
use super::world::*;
use crate::layout::GLayout;
use crate::snapshot::{AtLeast, DeferKind, OpenCodedCoverage, SnapshotOptions};

#[test]
fn parked_chains_are_counted_to_the_record() {
    let mut world = World::new();
    for length in [1, 3, 8, 2000] {
        let index = world.goroutine(WAITING);
        world.chain(index, length);
    }
    let snapshot = world.take();
    let [site] = &snapshot.sites[..] else { panic!("{:?}", snapshot.sites) };
    assert_eq!((site.pending, site.goroutines, site.max_chain), (2012, 4, 2000));
    assert_eq!(site.memory_bytes, 2012 * (48 + 16));
    assert_eq!(site.sample_goids, [2, 3, 4, 5]);
    assert_eq!(site.name.kind, DeferKind::Heap);
    assert_eq!(snapshot.chains.max, 2000);
    assert_eq!(
        snapshot.chains.at_least[..4],
        [(1, 4), (2, 3), (4, 2), (8, 2)].map(|(length, goroutines)| AtLeast { length, goroutines })
    );
    assert_eq!(snapshot.unverified.goroutines, 0);
    assert!(!snapshot.truncated);
}

#[test]
fn dead_goroutines_and_the_runtimes_own_are_not_in_the_total() {
    let mut world = World::new();
    for status in [WAITING, WAITING, RUNNING, DEAD, 11, WAITING | SCANNED] {
        world.goroutine(status);
    }
    let goroutines = world.take().goroutines;
    assert_eq!((goroutines.total, goroutines.system), (4, 1));
    assert_eq!((goroutines.groups[0].count, goroutines.groups[0].wait_reason), (3, "sleep"));
}

#[test]
fn a_record_in_a_frame_is_of_kind_stack_and_costs_no_heap() {
    let mut world = World::new();
    let index = world.goroutine(WAITING);
    let (record, closure) = (World::stack(index) + 0x3100, World::stack(index) + 0x3200);
    world.memory.write_word(closure, CALLEE);
    world.record(record, [false, false], World::stack(index) + 0x3800, STACK_PC, closure, 0);
    world.set_g(index, GLayout::DEFER, record);
    let site = &world.take().sites[0];
    assert_eq!((site.name.kind, site.pending, site.memory_bytes), (DeferKind::Stack, 1, 0));
}

#[test]
fn a_range_over_func_list_is_counted_at_its_loop_and_the_chain_goes_on() {
    let mut world = World::new();
    let index = world.goroutine(WAITING);
    let older = world.chain(index, 2);
    let (outer, head) = (world.reserve(48), world.reserve(8));
    let closure = world.closure(CALLEE);
    let inner = [world.reserve(48), world.reserve(48), world.reserve(48)];
    world.record(outer, [true, true], World::stack(index) + 0x3700, RANGE_PC, 0, older[0]);
    world.memory.write_word(outer + world.layout.record.head as u64, head);
    world.memory.write_word(head, inner[0]);
    for (position, record) in inner.iter().enumerate() {
        let link = inner.get(position + 1).copied().unwrap_or(0);
        world.record(*record, [true, false], 0, 0, closure, link);
    }
    world.set_g(index, GLayout::DEFER, outer);

    let snapshot = world.take();
    let found: Vec<_> = snapshot.sites.iter().map(|site| (site.name.kind, site.pending)).collect();
    assert_eq!(found, [(DeferKind::RangeFunc, 3), (DeferKind::Heap, 2)]);
    assert_eq!(snapshot.chains.max, 5);
}

#[test]
fn open_coded_defers_of_a_parked_goroutine_are_found_in_its_frames() {
    let mut world = World::new();
    let index = world.goroutine(WAITING);
    let (inner, outer) = (World::stack(index) + 0x3100, World::stack(index) + 0x3300);
    let closure = world.closure(CALLEE);
    world.set_g(index, world.layout.g.sched_bp, inner);
    world.memory.write_word(inner, outer);
    world.memory.write_word(inner + 8, OPEN + 0x21);
    world.memory.write(outer - 9, &[0b10]);
    world.memory.write_word(outer - 0x18, closure);
    world.memory.write_word(outer, 0);
    world.memory.write_word(outer + 8, PLAIN);

    let snapshot = world.take();
    let [site] = &snapshot.sites[..] else { panic!("{:?}", snapshot.sites) };
    assert_eq!((site.name.kind, site.pending, site.name.line), (DeferKind::OpenCoded, 1, 0x3000));
    assert_eq!(snapshot.open_coded, OpenCodedCoverage { searched: 1, skipped: 0 });
    assert_eq!(snapshot.chains.max, 0, "an open-coded defer is not on a chain");
}

#[test]
fn a_stack_deeper_than_is_searched_is_skipped_and_not_counted_in_part() {
    let mut world = World::new();
    let index = world.goroutine(WAITING);
    let closure = world.closure(CALLEE);
    let frame = |depth: u64| World::stack(index) + 0x400 + depth * 0x10;
    world.set_g(index, GLayout::SCHED_SP, World::stack(index) + 0x300);
    world.set_g(index, GLayout::SCHED_PC, OPEN + 0x21);
    world.set_g(index, world.layout.g.sched_bp, frame(0));
    world.memory.write(frame(0) - 9, &[0b10]);
    world.memory.write_word(frame(0) - 0x18, closure);
    for (frames, sites, coverage) in
        [(500, 1, OpenCodedCoverage { searched: 1, skipped: 0 }), (600, 0, OpenCodedCoverage { searched: 0, skipped: 1 })]
    {
        for depth in 0..frames {
            world.memory.write_word(frame(depth), if depth + 1 < frames { frame(depth + 1) } else { 0 });
            world.memory.write_word(frame(depth) + 8, PLAIN + 8);
        }
        let snapshot = world.take();
        assert_eq!((snapshot.sites.len(), snapshot.open_coded), (sites, coverage), "{frames} frames");
    }
}

#[test]
fn a_chain_that_grows_between_the_looks_counts_at_least_what_the_first_saw() {
    let mut world = World::new();
    let index = world.goroutine(WAITING);
    let records = world.chain(index, 5);
    let (younger, closure) = (world.reserve(48), world.closure(CALLEE));
    world.record(younger, [true, false], World::stack(index) + 0x3800, LOOP_PC, closure, records[0]);
    let head = World::g(index) + GLayout::DEFER as u64;
    // Whichever read it falls behind, the answer is one of the two true ones.
    for read in 1..12 {
        world.set_g(index, GLayout::DEFER, records[0]);
        world.memory.restart();
        world.memory.write_after(read, head, &younger.to_le_bytes());
        let snapshot = world.take();
        assert_eq!(snapshot.unverified.goroutines, 0, "read {read}");
        assert!([5, 6].contains(&snapshot.sites[0].pending), "read {read}: {}", snapshot.sites[0].pending);
    }
}

#[test]
fn two_looks_at_one_program_agree_and_cost_what_they_say() {
    let mut world = World::new();
    let index = world.goroutine(WAITING);
    world.chain(index, 100);
    let mut program = world.program();
    let options = SnapshotOptions::default();
    let first = super::super::take(&mut program, &world.memory, &options).unwrap();
    let second = super::super::take(&mut program, &world.memory, &options).unwrap();
    assert_eq!(first.sites, second.sites);
    assert!(first.cost.reads > 3 && first.cost.bytes > 100 * 48);
}

#[test]
fn a_sound_program_passes_the_check() {
    let mut world = World::new();
    for length in 0..5 {
        let index = world.goroutine(WAITING);
        world.chain(index, length);
    }
    assert_eq!(check(&mut world.program(), &world.memory), Ok(()));
}

#[test]
fn a_runtime_without_goroutines_is_not_ready() {
    let mut world = World::new();
    world.set_all_length(0);
    assert_eq!(check(&mut world.program(), &world.memory), Err(WalkError::NotReady));
    assert_eq!(world.try_take(&SnapshotOptions::default()).unwrap_err(), WalkError::NotReady);
}
