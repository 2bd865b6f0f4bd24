use super::hash::{fnv1a, randomness};
use super::*;

/// From `ExampleProbabilityToThreshold*` and `TestProbabilityToThresholdWithPrecision` in the Collector's
/// `pkg/sampling/probability_test.go`: rejected share as a fraction, precision, digits.
#[test]
fn shares_are_written_as_in_the_collectors_tests() {
    let p2 = |exponent: i32| 2.0_f64.powi(exponent);
    let cases = [
        (1.0 / 3.0, 3, "aab"),
        (2.0 / 3.0, 3, "555"),
        (1.0, 3, "0"),
        (1.0 / 3.0, 14, "aaaaaaaaaaaaac"),
        (p2(-56), 3, "ffffffffffffff"),
        (2.0 * p2(-56), 3, "fffffffffffffe"),
        (8.0 * p2(-56), 3, "fffffffffffff8"),
        (16.0 * p2(-56), 3, "fffffffffffff"),
        (15.0 / 16.0, 14, "1"),
        ((15.0_f64 / 16.0).next_down(), 14, "10000000000008"),
        (0.5_f64.next_down(), 14, "80000000000004"),
        (0.25_f64.next_down(), 14, "c0000000000002"),
        (0.0625_f64.next_down(), 14, "f"),
        (1.0 - f64::from(0x0456_789a_u32) * p2(-28), 14, "456789a"),
        (1.0 - f64::from(0x0456_789a_u32) * p2(-28), 6, "45678a"),
        (1.0 - f64::from(0x0456_789a_u32) * p2(-28), 4, "4568"),
        (1.0 - f64::from(0x0456_789a_u32) * p2(-28), 1, "4"),
        (1.0 - f64::from(0x0456_789a_u32) * p2(-40), 14, "000456789a"),
        (1.0 - f64::from(0x0456_789a_u32) * p2(-40), 6, "00045678a"),
        (1.0 - f64::from(0x0456_789a_u32) * p2(-40), 1, "0004"),
        (1.0 - 32_374_509_039.0 * p2(-40), 9, "0789abcdef"),
        (1.0 - f64::from(0x1234_5678_u32) * p2(-32), 7, "1234568"),
        (1.0 - f64::from(0x1234_5678_u32) * p2(-32), 1, "1"),
        (1.0 - f64::from(0x0008_0801_u32) * p2(-28), 3, "00808"),
        (1.0 - f64::from(0x0008_0801_u32) * p2(-28), 1, "008"),
    ];
    for (share, precision, digits) in cases {
        let threshold = Threshold::from_probability(share, precision).unwrap();
        assert_eq!(threshold.render(), digits, "{share} in {precision}");
        assert_eq!(Threshold::parse(digits.as_bytes()), Some(threshold), "{digits}");
    }
    for outside in [0.0, -0.5, 1.0_f64.next_up(), p2(-57), f64::NAN, f64::INFINITY] {
        assert_eq!(Threshold::from_probability(outside, 4), None, "{outside}");
    }
}

#[test]
fn only_digits_are_read() {
    for text in ["", "+1", "0x1", " 1", "1_0", "g", "123456789abcdef", "\u{663}"] {
        assert_eq!(Threshold::parse(text.as_bytes()), None, "{text:?}");
        assert_eq!(Randomness::parse(text.as_bytes()), None, "{text:?}");
    }
    assert_eq!(Randomness::parse(b"0000000000000F").map(Randomness::render), Some("0000000000000f".to_owned()));
    assert_eq!(Threshold::parse(b"000").map(Threshold::render), Some("0".to_owned()));
    assert_eq!(Threshold::NEVER.render(), "");
}

/// FNV's published values for four zero bytes and for `foobar`.
#[test]
fn hashes_are_fnv1a_over_seed_and_bytes() {
    assert_eq!(fnv1a(0, b""), 0x4b95_f515);
    assert_eq!(fnv1a(u32::from_le_bytes(*b"foob"), b"ar"), 0xbf9c_f968);
    let bucket = u64::from(fnv1a(49, b"1234") & 0x3fff);
    let digits = randomness(49, b"1234").render();
    assert_eq!(u64::from_str_radix(&digits, 16).unwrap() & 0x3fff, bucket);
    assert_eq!(u64::from_str_radix(&digits, 16).unwrap() >> 42, 0x3fff - bucket);
}

/// `TestHashSeedRoundingDown` of the Collector's `sampler_mode_test.go`.
#[test]
fn a_share_of_less_than_one_bucket_is_none() {
    assert_eq!(Sampler::hash(3.0 / 65536.0 * 100.0, 1234, true), Sampler::Never);
    assert_ne!(Sampler::hash(4.0 / 65536.0 * 100.0, 1234, true), Sampler::Never);
}

#[test]
fn the_share_that_stays_is_the_share_that_was_asked_for() {
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let ids: Vec<[u8; 16]> = std::iter::repeat_with(|| {
        let mut id = [7; 16];
        for half in id.chunks_mut(8) {
            // xorshift64*
            random ^= random >> 12;
            random ^= random << 25;
            random ^= random >> 27;
            half.copy_from_slice(&random.wrapping_mul(0x2545_f491_4f6c_dd1d).to_be_bytes());
        }
        id
    })
    .take(20_000)
    .collect();
    for percent in [1.0_f32, 15.3, 50.0, 99.0] {
        for sampler in [Sampler::hash(percent, 22, true), Sampler::equalizing(percent, 4), Sampler::proportional(percent, 4)] {
            let stays = ids.iter().filter(|id| sampler.decide(Arriving::default(), *id, || None, None, true).stays).count();
            let (expected, p) = (f64::from(percent) * 200.0, f64::from(percent) / 100.0);
            // Five standard deviations.
            let tolerance = 5.0 * (20_000.0 * p * (1.0 - p)).sqrt();
            let stays = f64::from(u32::try_from(stays).unwrap());
            assert!((stays - expected).abs() < tolerance, "{sampler:?}: {stays} of 20000 for {percent}%");
        }
    }
}

#[test]
fn tiers_agree_what_a_strict_one_keeps_a_lax_one_keeps_too() {
    let (strict, lax) = (Sampler::hash(10.0, 5, true), Sampler::hash(20.0, 5, true));
    for number in 1..5000_u128 {
        let id = number.wrapping_mul(0x1234_5678_9abc_def1_0fed_cba9_8765_4321).to_be_bytes();
        let stays = |sampler: &Sampler| sampler.decide(Arriving::default(), &id, || None, None, true).stays;
        assert!(!stays(&strict) || stays(&lax), "{number}");
    }
}
