//! Panics of real programs: the fixture `tests/go/values` panics with a value
//! of each kind and tells what it is, where it is and what Go says of it.

#[cfg(test)]
mod damaged;
#[cfg(test)]
mod program;
#[cfg(test)]
mod stacks;
#[cfg(test)]
mod values;
