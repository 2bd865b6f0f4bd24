//! Randomness by hashing: FNV-1a of 32 bits over seed and bytes, of which 14 bits decide.

use super::threshold::{Randomness, Threshold};

/// Bits of the hash that decide.
const BUCKET_BITS: u32 = 14;
/// Number of buckets.
const BUCKETS: u32 = 1 << BUCKET_BITS;
/// Buckets in one percent.
const BUCKETS_PER_PERCENT: f32 = 163.84;

/// The hash of the seed's four bytes, low one first, and then of `bytes`. FNV with its published constants: seven lines, which a crate would not shorten.
pub(super) fn fnv1a(seed: u32, bytes: &[u8]) -> u32 {
    seed.to_le_bytes()
        .iter()
        .chain(bytes)
        .fold(0x811c_9dc5, |hash: u32, &byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

/// The hash as 56 bits of randomness that sort as the bucket does, so that any sampler that reads them decides alike:
/// the bucket counted from above (14 bits), a mixture of the 18 other bits (28), and the bucket (14).
pub(super) fn randomness(seed: u32, bytes: &[u8]) -> Randomness {
    let hash = fnv1a(seed, bytes);
    let bucket = u64::from(hash % BUCKETS);
    let above = u64::from(BUCKETS - 1) - bucket;
    let other = u64::from(hash >> (u32::BITS - BUCKET_BITS));
    let mixed = other ^ other << 10;
    Randomness::new(above << 42 | mixed << BUCKET_BITS | bucket)
}

/// The threshold that keeps so many percent (up to 100) of the buckets, rounded down, or `None` if that is not even one.
pub(super) fn threshold(percent: f32) -> Option<Threshold> {
    // In single precision, as the Collector always did: double precision would move the border for some percentages.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates, and rounds towards zero on purpose")]
    let kept = ((percent * BUCKETS_PER_PERCENT) as u32).min(BUCKETS);
    (kept > 0).then(|| Threshold::rejecting(u64::from(BUCKETS - kept) << 42))
}
