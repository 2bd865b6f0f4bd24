//! Changing a serialized request without rebuilding it.
//!
//! An edit walks the request once and notes `splices`: what to cut out and what to put there. Lengths of the messages around a
//! change are corrected on the way. If nothing was noted, the caller keeps its bytes; otherwise the new request is
//! one copy of the untouched ranges and the insertions between them. `retain` only cuts; inserting attributes is the same with
//! insertions.

pub(crate) mod retain;
pub(crate) mod splices;

#[cfg(test)]
mod tests;

use bytes::Bytes;

/// What an edit made of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edited {
    /// The new request.
    pub bytes: Bytes,
    /// Items (data points, log records) it has.
    pub kept: usize,
    /// Items that it had and has no more.
    pub dropped: usize,
}
