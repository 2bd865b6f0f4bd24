//! Memory that lies, in every way we know of.

mod lies;
mod truth;
mod world;
