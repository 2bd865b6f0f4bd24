//! Whatever a kernel hands over, an answer.

use std::time::{Duration, Instant};

use deferd_goproc::panic::{Captured, MAX_DATA, MAX_MESSAGE, PanicValue};

use crate::program::runs;

/// For each program.
const ROUNDS: usize = 400;
/// Hundreds of times what it takes, debug build or not.
const MOST_TIME: Duration = Duration::from_secs(5);

#[test]
fn random_words_and_bytes_neither_panic_nor_hang_nor_grow() {
    let mut random = fastrand::Rng::with_seed(0x00de_fe50);
    // The oldest, the newest, and a few between.
    for run in runs().step_by(3) {
        let known: Vec<Captured> = run.values().map(|panicked| panicked.captured).collect();
        for round in 0..ROUNDS {
            let mut captured = random.choice(&known).expect("values").clone();
            damage(&mut random, &known, &mut captured);
            let start = Instant::now();
            let value = PanicValue::decode(&run.image, &captured);
            let took = start.elapsed();
            assert!(took < MOST_TIME, "{} round {round}: {took:?} for {captured:?}", run.name);
            assert!(value.message.len() <= MAX_MESSAGE, "{} round {round}", run.name);
        }
    }
}

fn damage(random: &mut fastrand::Rng, known: &[Captured], captured: &mut Captured) {
    let other = random.choice(known).expect("values");
    match random.u8(..6) {
        // Another type for the bytes, and something inside of one.
        0 => captured.type_address = other.type_address,
        1 => captured.type_address = other.type_address.wrapping_add(random.u64(..256)),
        2 => captured.type_address = random.u64(..),
        3 => captured.data = std::array::from_fn(|_| random.u8(..)),
        4 => captured.data[random.usize(..MAX_DATA)] ^= 1 << random.u8(..8),
        _ => captured.data_word = if random.bool() { other.type_address } else { random.u64(..) },
    }
    if random.bool() {
        captured.data_len = random.usize(..);
    }
    if random.bool() {
        captured.texts.push((other.data_word, random.u64(..), vec![0xff; random.usize(..300)]));
    }
    if random.u8(..) < 20 {
        captured.load_bias = random.u64(..);
    }
    // Bytes that lead to other values and types.
    let words = [other.type_address, other.data_word, captured.data_word, u64::MAX, 0];
    for chunk in captured.data.chunks_exact_mut(8) {
        if random.u8(..4) == 0 {
            chunk.copy_from_slice(&random.choice(words).expect("words").to_le_bytes());
        }
    }
}
