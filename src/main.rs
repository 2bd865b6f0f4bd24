//! The deferd binary.
fn main() {}
