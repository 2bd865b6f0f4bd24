use super::*;
use crate::memory::fake::FakeMemory;

#[test]
fn a_read_across_two_pages_is_joined() {
    let mut memory = FakeMemory::default();
    memory.write(0x1_0ffc, &0x1122_3344_5566_7788_u64.to_le_bytes());
    assert_eq!(Pages::new(&memory).word(0x1_0ffc), Ok(Some(0x1122_3344_5566_7788)));
}

#[test]
fn an_unmapped_page_does_not_hide_the_ones_after_it() {
    let mut memory = FakeMemory::default();
    memory.write(0x1_0000, &[1; 8]);
    memory.write(0x3_0000, &[3; 8]);
    let mut pages = Pages::new(&memory);
    pages.prefetch([(0x1_0000, 8), (0x2_0000, 8), (0x3_0000, 8)]).unwrap();
    assert_eq!(pages.peek::<1>(0x1_0000), Some([1]));
    assert_eq!(pages.peek::<1>(0x2_0000), None);
    assert_eq!(pages.peek::<1>(0x3_0000), Some([3]));
}

#[test]
fn unmapped_pages_cost_a_read_each_and_no_more() {
    let mut memory = FakeMemory::default();
    for page in 1000..2000_u64 {
        memory.write(page * 0x1000, &[1]);
    }
    let mut pages = Pages::new(&memory);
    pages.prefetch((0..2000_u64).map(|page| (page * 0x1000, 1))).unwrap();
    assert!(pages.cost().reads <= 1000 + 11, "{:?}", pages.cost());
    assert_eq!(pages.peek::<1>(999 * 0x1000), None);
    assert!((1000..2000_u64).all(|page| pages.peek::<1>(page * 0x1000) == Some([1])));
}

#[test]
fn the_last_address_is_no_overflow() {
    let memory = FakeMemory::default();
    assert_eq!(Pages::new(&memory).word(u64::MAX - 2), Ok(None));
}

#[test]
fn a_known_page_is_not_read_again_until_cleared() {
    let mut memory = FakeMemory::default();
    memory.write(0x1000, &[1; 8]);
    let mut pages = Pages::new(&memory);
    pages.word(0x1000).unwrap();
    let reads = pages.cost().reads;
    pages.word(0x1000).unwrap();
    assert_eq!(pages.cost().reads, reads);
    pages.clear();
    pages.word(0x1000).unwrap();
    assert!(pages.cost().reads > reads);
}

#[test]
fn the_cache_forgets_rather_than_grow_past_its_bound() {
    let mut memory = FakeMemory::default();
    for page in 0..64_u64 {
        memory.write(page * 0x1000, &[1]);
    }
    let mut pages = Pages::new(&memory);
    for page in 0..10_000_u64 {
        pages.word(page * 0x1000).unwrap();
        assert!(pages.index.len() <= MAX_PAGES);
    }
}
