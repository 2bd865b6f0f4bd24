//! What cannot be true is not counted, and said.

use super::super::{WalkError, check};
use super::world::*;
use crate::layout::{GLayout, Layout, RecordLayout};
use crate::snapshot::{Doubt, SnapshotOptions};

/// A parked goroutine with ten pending defers; the addresses of its records.
fn parked() -> (World, u64, Vec<u64>) {
    let mut world = World::new();
    let index = world.goroutine(WAITING);
    let records = world.chain(index, 10);
    (world, index, records)
}

fn spoil(field: usize, value: u64) -> Doubt {
    let (mut world, _, records) = parked();
    world.memory.write_word(records[5] + field as u64, value);
    world.doubt()
}

#[test]
fn a_freed_record_makes_the_chain_doubtful() {
    assert_eq!(spoil(RecordLayout::FN, 0), Doubt::NullRecord);
}

#[test]
fn a_stack_pointer_off_the_stack_makes_the_chain_doubtful() {
    assert_eq!(spoil(RecordLayout::SP, 0), Doubt::StackPointer);
    assert_eq!(spoil(RecordLayout::SP, u64::MAX), Doubt::StackPointer);
}

#[test]
fn stack_pointers_that_fall_along_a_chain_make_it_doubtful() {
    let (_, index, _) = parked();
    assert_eq!(spoil(RecordLayout::SP, World::stack(index) + 0x3000), Doubt::StackPointer);
}

#[test]
fn a_pc_behind_no_registering_call_makes_the_chain_doubtful() {
    assert_eq!(spoil(RecordLayout::PC, LOOP_PC + 1), Doubt::RegisteringPc);
}

#[test]
fn a_heap_record_of_a_call_that_makes_stack_records_is_doubtful() {
    assert_eq!(spoil(RecordLayout::PC, STACK_PC), Doubt::RegisteringPc);
}

#[test]
fn a_closure_without_code_makes_the_chain_doubtful() {
    let (mut world, _, records) = parked();
    let closure = world.closure(CALLEE + 1);
    world.memory.write_word(records[5] + RecordLayout::FN as u64, closure);
    assert_eq!(world.doubt(), Doubt::Closure);
}

#[test]
fn garbage_pointers_are_unreadable_not_fatal() {
    assert_eq!(spoil(0x20, 0xdead_beef_0000), Doubt::Unreadable);
    assert_eq!(spoil(0x20, u64::MAX), Doubt::Unreadable);
    assert_eq!(spoil(RecordLayout::FN, u64::MAX - 3), Doubt::Unreadable);
}

#[test]
fn a_chain_that_bites_its_tail_ends() {
    for (from, to) in [(9, 0), (9, 9), (9, 4), (1, 1), (3, 2)] {
        let (mut world, _, records) = parked();
        world.memory.write_word(records[from] + 0x20, records[to]);
        assert_eq!(world.doubt(), Doubt::Cycle, "{from} to {to}");
    }
}

#[test]
fn a_chain_past_the_record_limit_is_left_out_and_said() {
    let (world, ..) = parked();
    let options = SnapshotOptions { max_records: 5, ..SnapshotOptions::default() };
    let snapshot = world.try_take(&options).unwrap();
    assert_eq!(snapshot.unverified.reasons, [(Doubt::Limit, 1)]);
    assert!(snapshot.truncated && snapshot.sites.is_empty());
}

#[test]
fn a_look_stops_walking_chains_at_its_limit_of_reads() {
    let mut world = World::new();
    let index = world.goroutine(WAITING);
    let records = world.chain(index, 200);
    // A page for each record, far apart.
    let closure = world.closure(CALLEE);
    let far = |position: usize| HEAP + 0x100_0000 + position as u64 * 0x10_0000;
    for position in 0..records.len() {
        let link = if position + 1 < records.len() { far(position + 1) } else { 0 };
        world.record(far(position), [true, false], World::stack(index) + 0x3800, LOOP_PC, closure, link);
    }
    world.set_g(index, GLayout::DEFER, far(0));
    assert_eq!(world.take().sites[0].pending, 200);
    let options = SnapshotOptions { max_reads: 50, ..SnapshotOptions::default() };
    let snapshot = world.try_take(&options).unwrap();
    assert_eq!(snapshot.unverified.reasons, [(Doubt::Limit, 1)]);
    assert!(snapshot.truncated && snapshot.cost.reads < 60, "{:?}", snapshot.cost);
    assert_eq!(snapshot.goroutines.total, 1);
}

#[test]
fn goroutines_past_the_limit_are_said() {
    let mut world = World::new();
    for _ in 0..3000 {
        world.goroutine(WAITING);
    }
    let options = SnapshotOptions { max_goroutines: 1500, ..SnapshotOptions::default() };
    let snapshot = world.try_take(&options).unwrap();
    assert_eq!(snapshot.goroutines.total, 1499);
    assert!(snapshot.truncated);
}

#[test]
fn a_chain_whose_goroutine_is_being_scanned_is_not_believed() {
    let mut world = World::new();
    let index = world.goroutine(WAITING | SCANNED);
    world.chain(index, 10);
    assert_eq!(world.doubt(), Doubt::Moving);
}

#[test]
fn a_scan_that_ends_meanwhile_costs_only_a_retry() {
    let mut world = World::new();
    let index = world.goroutine(WAITING | SCANNED);
    world.chain(index, 10);
    let status = World::g(index) + world.layout.g.status as u64;
    world.memory.write_after(4, status, &WAITING.to_le_bytes());
    let snapshot = world.take();
    assert_eq!((snapshot.sites[0].pending, snapshot.unverified.goroutines), (10, 0));
}

#[test]
fn a_chain_torn_by_a_return_is_never_counted_as_it_was_torn() {
    // The goroutine returns and registers three others, at any moment: ten, three or doubt, nothing else.
    for read in 1..20 {
        let (mut world, index, records) = parked();
        let other = world.closure(PLAIN);
        for (position, record) in records.iter().enumerate() {
            let link = if position < 2 { records[position + 1] } else { 0 };
            let function = if position < 3 { other } else { 0 };
            let words = [1_u64, World::stack(index) + 0x3900, LOOP_PC, function, link, 0];
            world.memory.write_after(read, *record, &words.map(u64::to_le_bytes).concat());
        }
        let snapshot = world.take();
        let pending: u64 = snapshot.sites.iter().map(|site| site.pending).sum();
        assert!([3, 10].contains(&pending) && snapshot.sites.len() == 1, "read {read}: {:?}", snapshot.sites);
    }
}

#[test]
fn a_goroutine_that_never_stands_still_is_given_up() {
    let (mut world, _, records) = parked();
    for read in 1..200 {
        let closure = world.closure(CALLEE);
        world.memory.write_after(read, records[5] + RecordLayout::FN as u64, &closure.to_le_bytes());
    }
    assert_eq!(world.doubt(), Doubt::Moving);
}

#[test]
fn goroutines_that_cannot_be_read_are_counted_as_such() {
    let mut world = World::new();
    for _ in 0..8 {
        world.goroutine(WAITING);
    }
    let unmapped = world.goroutine(WAITING);
    world.set_all_length(unmapped + 1);
    world.memory.write_word(0xc0_0000_0000 + unmapped * 8, 0xdead_0000);
    let snapshot = world.take();
    assert_eq!(snapshot.unverified.reasons, [(Doubt::Goroutine, 1)]);
    assert_eq!(snapshot.goroutines.total, 8);
}

#[test]
fn a_list_longer_than_memory_is_refused_not_allocated() {
    let mut world = World::new();
    for length in [1 << 40, u64::MAX] {
        world.set_all_length(length);
        let error = world.try_take(&SnapshotOptions::default()).unwrap_err();
        assert!(matches!(error, WalkError::Check(_)), "{error}");
    }
    world.set_all_length(1 << 20);
    let error = world.try_take(&SnapshotOptions::default()).unwrap_err();
    assert!(matches!(error, WalkError::Check(_)), "{error}");
}

#[test]
fn the_wrong_layout_does_not_pass_the_check() {
    let mut world = World::new();
    for length in 0..20 {
        let index = world.goroutine(WAITING);
        world.chain(index, length);
    }
    for minor in [21, 23, 25] {
        world.layout = Layout::of(minor).unwrap();
        let checked = check(&mut world.program(), &world.memory);
        assert!(matches!(checked, Err(WalkError::Check(_))), "1.{minor}: {checked:?}");
    }
}

#[test]
fn a_number_given_twice_or_never_fails_the_check() {
    let mut world = World::new();
    let (one, other) = (world.goroutine(WAITING), world.goroutine(WAITING));
    let field = world.layout.g.goid;
    world.set_g(one, field, 7);
    world.set_g(other, field, 7);
    assert!(matches!(check(&mut world.program(), &world.memory), Err(WalkError::Check(_))));
    world.set_g(other, field, 8);
    assert_eq!(check(&mut world.program(), &world.memory), Ok(()));
    world.memory.write_word(SCHED, 7);
    assert!(matches!(check(&mut world.program(), &world.memory), Err(WalkError::Check(_))));
}

#[test]
fn a_program_without_the_runtimes_goroutines_fails_the_check() {
    let mut world = World::new();
    for _ in 0..8 {
        world.goroutine(WAITING);
    }
    world.set_g(0, world.layout.g.start_pc, USER);
    assert!(matches!(check(&mut world.program(), &world.memory), Err(WalkError::Check(_))));
}

#[test]
fn random_memory_never_panics_and_never_yields_a_site() {
    let mut random = fastrand::Rng::with_seed(1);
    for _ in 0..300 {
        let (mut world, index, records) = parked();
        let targets: Vec<u64> = records.iter().copied().chain([World::g(index), World::stack(index) + 0x3100]).collect();
        for _ in 0..random.usize(1..40) {
            let target = targets[random.usize(..targets.len())] + random.u64(..0x40);
            let value = match random.u8(..4) {
                0 => random.u64(..),
                1 => records[random.usize(..records.len())],
                2 => World::stack(index) + random.u64(..STACK_SIZE),
                _ => [0, 1, LOOP_PC, RANGE_PC, STACK_PC][random.usize(..5)],
            };
            world.memory.write_word(target, value);
        }
        if let Ok(snapshot) = world.try_take(&SnapshotOptions { max_records: 10_000, ..SnapshotOptions::default() }) {
            let counted: u64 = snapshot.sites.iter().map(|site| site.pending).sum();
            assert!(counted <= 10, "more pending calls than records: {:?}", snapshot.sites);
        }
    }
}
