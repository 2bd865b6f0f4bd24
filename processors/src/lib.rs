//! Processors of this distribution.
