//! Real Go programs, running, looked at from outside and asked what the truth is.

#[cfg(test)]
mod exact;
#[cfg(test)]
mod helper;
#[cfg(test)]
mod identity;
#[cfg(test)]
mod moving;
#[cfg(test)]
mod program;
