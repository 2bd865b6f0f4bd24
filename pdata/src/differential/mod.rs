//! Views, counts, edits and builders against prost's decoder, on requests that the schema tables allow and on damaged ones.

mod against_prost;
mod damage;
mod edits;
mod generate;
mod plain;
mod profiles;
mod rebuild;
mod sample;
mod to_prost;
mod traces;

#[cfg(feature = "json")]
pub(crate) use against_prost::{generated, tape};
