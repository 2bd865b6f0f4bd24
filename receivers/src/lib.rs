//! Receivers of this distribution.
