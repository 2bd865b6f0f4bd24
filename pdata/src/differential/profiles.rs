//! Profiles against prost: counted, checked, damaged.

use opentelemetry_proto::tonic::collector::profiles::v1development::ExportProfilesServiceRequest;
use proptest::prelude::*;
use prost::Message;

use super::{
    against_prost::{assert_same, check_verdict, generated, tape},
    damage::{self, damage},
};
use crate::{
    edit::resource_attributes,
    profiles,
    validate::{self, Utf8, schema},
    wire::{Expect, Fault, Writer},
};

fn samples(request: &ExportProfilesServiceRequest) -> usize {
    let scopes = request.resource_profiles.iter().flat_map(|resource| &resource.scope_profiles);
    scopes.flat_map(|scope| &scope.profiles).map(|profile| profile.samples.len()).sum()
}

#[test]
fn two_dictionaries_are_refused_since_indexes_would_mean_either() {
    let dictionary = |out: &mut Writer| out.nested(2, Expect::Small, |out| out.bytes(5, b""));
    let mut request = Writer::default();
    dictionary(&mut request);
    assert_eq!(validate::profiles(request.as_bytes(), Utf8::Require), Ok(()));
    // What merging by concatenation would give.
    dictionary(&mut request);
    assert_eq!(validate::profiles(request.as_bytes(), Utf8::Require).unwrap_err().what, Fault::Repeated(2));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn profiles_are_counted_and_checked_as_by_prost(decisions in tape()) {
        let bytes = generated(&decisions, &schema::profiles::PROFILES, false);
        prop_assert_eq!(validate::profiles(&bytes, Utf8::Require), Ok(()));
        let request = ExportProfilesServiceRequest::decode(bytes.as_slice()).unwrap();
        prop_assert_eq!(profiles::count_samples(&bytes), Ok(samples(&request)));

        let bytes = generated(&decisions, &schema::profiles::PROFILES, true);
        let decoded = ExportProfilesServiceRequest::decode(bytes.as_slice());
        check_verdict(validate::profiles(&bytes, Utf8::Require), decoded.is_ok());
    }
}

#[test]
fn damaged_profiles_are_counted_safely_and_refused_or_decodable() {
    let mut random = fastrand::Rng::with_seed(damage::SEED);
    let (mut accepted, changes) = (0, damage::changes());
    for _ in 0..damage::MUTATIONS {
        let tape: Vec<u8> = std::iter::repeat_with(|| random.u8(..)).take(400).collect();
        let mut bytes = generated(&tape, &schema::profiles::PROFILES, false);
        damage(&mut random, &mut bytes);
        let counted = profiles::count_samples(&bytes);
        let enriched = resource_attributes(&bytes, |_| Some(&changes));
        if validate::profiles(&bytes, Utf8::Require).is_err() {
            continue;
        }
        accepted += 1;
        let request = ExportProfilesServiceRequest::decode(bytes.as_slice()).unwrap();
        assert_eq!(counted, Ok(samples(&request)));
        if let Some(enriched) = enriched.unwrap() {
            assert_eq!(validate::profiles(&enriched, Utf8::Require), Ok(()));
            let enriched = ExportProfilesServiceRequest::decode(enriched).unwrap();
            assert_same(&enriched.dictionary.unwrap_or_default(), &request.dictionary.unwrap_or_default());
        }
    }
    println!("{accepted} of {} accepted", damage::MUTATIONS);
    assert!(accepted > damage::MUTATIONS / 100, "damage refuses everything: {accepted} accepted");
    assert!(accepted < damage::MUTATIONS, "damage does no damage");
}
