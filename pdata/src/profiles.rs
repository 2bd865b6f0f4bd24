//! Profiles: counted and checked, and otherwise handed through as they are.
//!
//! Everything in them is an index into one dictionary per request. Two requests put behind each other would have two
//! dictionaries, of which decoders make one whose indexes are wrong; a part of a request would need all of it. So profiles are
//! never merged, split or regrouped.

use crate::{
    envelope,
    wire::{Malformed, Wire},
};

/// Field of a `Profile` that holds its samples.
const SAMPLES: u32 = 2;

/// Samples in a serialized `ExportProfilesServiceRequest`. Looks at no sample's inside, nor at the dictionary, and allocates nothing.
pub fn count_samples(request: &[u8]) -> Result<usize, Malformed> {
    envelope::sum_items(request, |mut profile| {
        let mut samples = 0;
        while let Some(field) = profile.next_field()? {
            samples += usize::from(field.number == SAMPLES && matches!(field.value, Wire::Len(_)));
        }
        Ok(samples)
    })
}
