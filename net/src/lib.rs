//! Listeners and HTTP serving for components.

pub mod http;
