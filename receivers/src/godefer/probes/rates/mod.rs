//! Registrations per second.
